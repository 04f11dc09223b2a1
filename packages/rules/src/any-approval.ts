/**
 * anyApproval: so many different users approved this version in this environment. One set of approvals serves every
 * approval rule of every policy. A rejection merely does not count, unless the rule says that it vetoes; a version older
 * than the rule is let through, so that adding a rule does not stop what was under way. Source: semantics 4.1.
 */
import type { AnyApproval, Approval } from "@sluice/domain/policy"
import { allow } from "@sluice/domain/verdict"
import { approvalKey } from "./facts.ts"
import { deny, earliest, type Gate, minutesMs, missingFact, scopeOf, wait } from "./gate.ts"
import { approvalSubject } from "./wait-subject.ts"

export const anyApproval: Gate<"anyApproval"> = ({ body, rule }, { subject, candidate, facts, now }) => {
  const { version } = candidate
  if (body.minApprovals <= 0 && (body.required ?? []).length === 0) return allow({ satisfiedAt: candidate.createdAt })
  const on = [approvalSubject(scopeOf(subject))]
  if (body.required !== undefined && body.required.length > 0) {
    return wait("this release of Sluice does not evaluate approvals by group yet", on)
  }
  const key = approvalKey({ versionId: version.id, environmentId: subject.environment.id })
  const records = facts.approvals.get(key)
  if (records === undefined) return missingFact("approvals", key, on)

  const vetoes = body.rejectionVetoes === true ? records.filter(record => record.status === "rejected") : []
  const counting = countingApprovals(body, records, candidate.createdBy, now)
  const details = {
    min_approvals: body.minApprovals,
    approvers: counting.map(record => record.userId),
    version_id: version.id,
    environment_id: subject.environment.id,
  }
  if (vetoes.length > 0) {
    return deny(`${version.tag} was rejected for ${subject.environment.name}`, on, {
      details: { ...details, rejected_by: vetoes.map(record => record.userId) },
    })
  }
  const deciding = counting[body.minApprovals - 1]
  if (deciding !== undefined) {
    const askAgainAt = lapseAt(body, counting)
    return allow({ satisfiedAt: deciding.createdAt, details, ...(askAgainAt === undefined ? {} : { askAgainAt }) })
  }
  if (candidate.createdAt < rule.createdAt) return allow({ satisfiedAt: candidate.createdAt, details })
  return wait(approvalSentence(version.tag, subject.environment.name, counting.length, body.minApprovals), on, {
    action: "approval",
    details,
  })
}

export const approvalSentence = (tag: string, environment: string, given: number, needed: number): string =>
  `${tag} needs ${needed === 1 ? "an approval" : `${needed} approvals`} for ${environment}, ${given} of ${needed} given`

/** Oldest first, one per user (the newest of a user's records counts). */
const countingApprovals = (
  body: AnyApproval,
  records: ReadonlyArray<Approval>,
  author: string | undefined,
  now: number,
): ReadonlyArray<Approval> => {
  const byAge = [...records].sort((a, b) => a.createdAt - b.createdAt || (a.userId < b.userId ? -1 : 1))
  const perUser = [...new Map(byAge.map(record => [record.userId, record])).values()]
  return perUser
    .filter(record => record.status === "approved")
    .filter(record => !(body.excludeAuthor === true && record.userId === author))
    .filter(record => lapsesAt(body, record) === undefined || now < (lapsesAt(body, record) as number))
    .sort((a, b) => a.createdAt - b.createdAt || (a.userId < b.userId ? -1 : 1))
}

const lapsesAt = (body: AnyApproval, record: Approval): number | undefined =>
  body.expiresAfterMinutes === undefined ? undefined : record.createdAt + minutesMs(body.expiresAfterMinutes)

/** When so many have lapsed that too few are left. */
const lapseAt = (body: AnyApproval, counting: ReadonlyArray<Approval>): number | undefined =>
  earliest(counting.slice(counting.length - body.minApprovals, undefined).map(record => lapsesAt(body, record)))
