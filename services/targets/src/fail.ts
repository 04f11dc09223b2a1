/**
 * What follows from a failure that no retry will mend: the version has failed here; a rollback rule, or the default, sends
 * the target back to its last known-good release; and where there is none, or that was done once, a person is asked.
 */
import type { GradualRollout } from "@sluice/domain/policy"
import { rulesOf } from "@sluice/rules/bind"
import { decideRollback, type Failure, type RollbackScope } from "@sluice/rules/rollback"
import type { EventOf } from "./events.ts"
import type { Script } from "./script.ts"
import { requestReturn } from "./start.ts"
import { type ReleaseRef, setbackOf, type TargetState, type VersionRef } from "./state.ts"
import { type Found, noFailures, scopeQuarantineOf, type TargetFacts } from "./target-facts.ts"

export const failForGood = (
  script: Script,
  facts: TargetFacts,
  failed: { readonly version: VersionRef; readonly failure: Failure },
): void => {
  const { version, failure } = failed
  const others = (facts._tag === "Found" ? facts.failures.get(version.versionId) : undefined) ?? noFailures
  const decision = decideRollback({
    rules: facts._tag === "Found" ? rulesOf(facts.binding, "rollback").map(bound => bound.body) : [],
    failure,
    failed: { environment: others.environment + 1, deployment: others.deployment + 1 },
  })
  const counted = setbackOf(script.state, version.versionId)?.failed === true
  const halted = facts._tag === "Found" && !counted ? haltedBy(facts, others.environment) : undefined
  script.add({
    _tag: "VersionFailed",
    version,
    reason: decision.reason,
    by: failure._tag === "VerificationFailed" ? "verification" : "job",
    ...(halted === undefined ? {} : { halted }),
  })
  if (decision._tag === "Stay" || facts._tag !== "Found") return script.add({ _tag: "LookDue" })
  goBack(script, facts, { from: version, reason: decision.reason, scope: decision.scope })
}

/** Quarantines `from` in `scope` and orders the return to the last known-good release, or a person. */
export const goBack = (
  script: Script,
  facts: Found,
  back: {
    readonly from: VersionRef
    readonly reason: string
    readonly scope: RollbackScope
    readonly abandons?: string
  },
): void => {
  const { from, reason, scope } = back
  const abandons = back.abandons === undefined ? {} : { abandons: back.abandons }
  const before = setbackOf(script.state, from.versionId)
  script.add({ _tag: "Quarantined", version: from, reason, scope })
  if (before?.rolledBack === true) {
    const said = `${from.tag} had been taken back from here once already; ${reason}`
    return script.add({ _tag: "HeldForPerson", about: from, reason: said, ...abandons })
  }
  const to = lastKnownGood(script.state, facts, from)
  if (to === undefined) {
    const said = `there is no known-good release to return to from ${from.tag}; ${reason}`
    return script.add({ _tag: "HeldForPerson", about: from, reason: said, ...abandons })
  }
  requestReturn(script, facts, { from, to, reason, ...abandons })
}

/** The newest confirmed release of another version that is neither quarantined nor rejected. */
const lastKnownGood = (state: TargetState, facts: Found, from: VersionRef): ReleaseRef | undefined =>
  state.good.find(
    ({ versionId }) =>
      versionId !== from.versionId &&
      setbackOf(state, versionId)?.quarantined !== true &&
      scopeQuarantineOf(facts, versionId) === undefined &&
      facts.versions.get(versionId)?.status !== "rejected",
  )

/** Does one more failure, beside those of `others`, exceed a rollout's budget for the first time? */
const haltedBy = (facts: Found, others: number): EventOf<"VersionFailed">["halted"] => {
  const budgets = rulesOf(facts.binding, "gradualRollout").map(bound => budgetOf(bound.body))
  const allowed = Math.min(...budgets)
  return others <= allowed && others + 1 > allowed ? { failed: others + 1, allowed } : undefined
}

const budgetOf = (body: GradualRollout): number =>
  body.maxFailures ?? (body.rolloutType === "verified" ? 0 : Number.POSITIVE_INFINITY)
