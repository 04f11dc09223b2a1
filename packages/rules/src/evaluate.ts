/**
 * The fold over candidates: which version should this target run now, and if not the newest, why not. Candidates newest
 * first; the first that every check allows is desired. What has been started here stays desired whatever becomes of its
 * gates, and nothing older is looked at, unless it was rejected or quarantined. Pure: facts, time and expressions come in.
 */
import type { Json } from "@sluice/domain/json"
import type { WaitSubject } from "@sluice/domain/verdict"
import type { Answer, AnsweredCandidate, AnsweredVerdict, Blocked } from "./answer.ts"
import type { Binding } from "./bind.ts"
import type { Expressions } from "./expressions.ts"
import type { Candidate, Facts, TargetHistory, TargetSubject } from "./facts.ts"
import { earliest, scopeOf } from "./gate.ts"
import { type Spoken, verdictsOn } from "./gates.ts"
import { isQuarantined } from "./quarantine.ts"
import { policiesSubject, rollbackSubject } from "./wait-subject.ts"

/** At most this many candidates per reconcile: one old target must not drag its deployment's whole past in. */
export const candidatesMax = 200

/** At most this many candidates in an answer: it is recorded each time it changes, and people read the top of it. */
export const answerCandidatesMax = 20

export interface Evaluating {
  readonly subject: TargetSubject
  readonly binding: Binding
  /** Newest first: the newest so many, with `facts` answering their needs (`needsOf`). */
  readonly candidates: ReadonlyArray<Candidate>
  /** Older versions exist beyond `candidates`. */
  readonly moreCandidates: boolean
  readonly history: TargetHistory
  readonly facts: Facts
  readonly expressions: Expressions
  /** Epoch milliseconds. */
  readonly now: number
}

export interface Evaluation {
  /** Absent: no version may be started and none has been. The target keeps its last desired release and says why. */
  readonly desired?: { readonly candidate: Candidate; readonly alreadyStarted: boolean }
  readonly answer: Answer
  readonly waitsOn: ReadonlyArray<WaitSubject>
  /** Epoch milliseconds, later than now: time alone may change the answer then. */
  readonly askAgainAt?: number
  /** The candidates ran out while more exist: ask again at once, with `nextWindow(candidates.length)` of them. */
  readonly needsMore: boolean
}

/** How many candidates to load at first, and after `looked` of them were not enough. Mostly the newest is all it takes. */
export const nextWindow = (looked = 0): number => (looked < 4 ? 4 : Math.min(candidatesMax, looked * 7))

export const evaluate = (evaluating: Evaluating): Evaluation => {
  const { subject, now } = evaluating
  const blocked: Array<Looked> = []
  let desired: Evaluation["desired"]
  let last: Looked | undefined
  for (const candidate of evaluating.candidates.slice(0, candidatesMax)) {
    if (isKept(candidate, evaluating)) {
      desired = { candidate, alreadyStarted: true }
      last = { candidate, spoken: [{ rule: "alreadyStarted", verdict: { _tag: "Allow" } }] }
      break
    }
    const looked = { candidate, spoken: verdictsOn({ ...evaluating, candidate }) }
    if (looked.spoken.every(({ verdict }) => verdict._tag === "Allow")) {
      desired = { candidate, alreadyStarted: false }
      last = looked
      break
    }
    blocked.push(looked)
  }

  const all = last === undefined ? blocked : [...blocked, last]
  const waitsOn = subjectsOf(subject, blocked)
  const askAgainAt = earliest(
    all.flatMap(({ spoken }) => spoken.map(timeOf)).filter(time => time !== undefined && time > now),
  )
  const beyond = desired === undefined && evaluating.moreCandidates
  const answer: Answer = {
    ...(desired === undefined ? {} : { desired: named(desired.candidate) }),
    ...(blocked[0] === undefined ? {} : { blocked: blockedOf(blocked[0]) }),
    candidates: listed(blocked, last),
    ...noteOn(blocked.length, beyond),
    waitsOn,
    ...(askAgainAt === undefined ? {} : { nextEvaluationAt: askAgainAt }),
  }
  return {
    ...(desired === undefined ? {} : { desired }),
    answer,
    waitsOn,
    ...(askAgainAt === undefined ? {} : { askAgainAt }),
    needsMore: beyond && evaluating.candidates.length < candidatesMax,
  }
}

interface Looked {
  readonly candidate: Candidate
  readonly spoken: ReadonlyArray<Spoken>
}

/** Runs here, or was the last to be started here, and has not been taken back by a person or a rollback. */
const isKept = ({ version }: Candidate, evaluating: Evaluating): boolean => {
  const { history } = evaluating
  const started = version.id === history.lastStartedVersionId || version.id === history.currentVersionId
  return started && version.status !== "rejected" && !isQuarantined(version.id, evaluating)
}

/** A rollback of a wider scope concerns every target; an edit of policies, those that something holds. Sorted. */
const subjectsOf = (subject: TargetSubject, blocked: ReadonlyArray<Looked>): ReadonlyArray<WaitSubject> => {
  const scope = scopeOf(subject)
  const on = blocked.flatMap(({ spoken }) =>
    spoken.flatMap(({ verdict }) => (verdict._tag === "Allow" ? [] : verdict.on)),
  )
  const held = blocked.length === 0 ? [] : [policiesSubject(subject.workspaceId)]
  const rollbacks = [rollbackSubject(scope), rollbackSubject({ deploymentId: scope.deploymentId })]
  return [...new Set([...on, ...held, ...rollbacks])].sort()
}

const timeOf = ({ verdict }: Spoken): number | undefined => {
  if (verdict._tag === "Wait") return verdict.until
  return verdict._tag === "Allow" ? verdict.askAgainAt : undefined
}

const named = ({ version }: Candidate) => ({ versionId: version.id as string, tag: version.tag })

const blockedOf = ({ candidate, spoken }: Looked): Blocked => {
  const holding = spoken.map(answered).find(verdict => verdict.verdict !== "allow") as AnsweredVerdict
  const { rule, ruleId, policyId, action, until } = holding
  return {
    ...named(candidate),
    rule,
    ...(ruleId === undefined ? {} : { ruleId }),
    ...(policyId === undefined ? {} : { policyId }),
    reason: holding.reason ?? "",
    ...(action === undefined ? {} : { action }),
    waitsOn: holding.waitsOn ?? [],
    ...(until === undefined ? {} : { until }),
  }
}

const listed = (blocked: ReadonlyArray<Looked>, desired: Looked | undefined): ReadonlyArray<AnsweredCandidate> =>
  [...blocked.slice(0, answerCandidatesMax - 1), ...(desired === undefined ? [] : [desired])].map(looked => ({
    ...named(looked.candidate),
    createdAt: looked.candidate.createdAt,
    desired: looked === desired,
    verdicts: looked.spoken.map(answered),
  }))

const noteOn = (blockedCount: number, beyond: boolean): { readonly note?: string } => {
  const notes = [
    ...(blockedCount >= answerCandidatesMax
      ? [`${blockedCount - answerCandidatesMax + 1} more that are held are not listed`]
      : []),
    ...(beyond && blockedCount >= candidatesMax ? [`only the newest ${candidatesMax} versions were looked at`] : []),
  ]
  return notes.length === 0 ? {} : { note: notes.join("; ") }
}

const words = { Allow: "allow", Wait: "wait", Deny: "deny" } as const

const answered = ({ verdict, ...who }: Spoken): AnsweredVerdict => ({
  ...who,
  verdict: words[verdict._tag],
  ...(verdict._tag === "Allow"
    ? verdict.satisfiedAt === undefined
      ? {}
      : { satisfiedAt: verdict.satisfiedAt }
    : { reason: verdict.reason, waitsOn: verdict.on }),
  ...(verdict._tag === "Wait" && verdict.action !== undefined ? { action: verdict.action } : {}),
  ...(verdict._tag === "Wait" && verdict.until !== undefined ? { until: verdict.until } : {}),
  // Through JSON, so that an absent detail is absent and the answer equals itself when it is read back.
  ...(verdict.details === undefined
    ? {}
    : { details: JSON.parse(JSON.stringify(verdict.details)) as Record<string, Json> }),
})
