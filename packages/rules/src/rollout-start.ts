/**
 * When the clock of a time-paced rollout starts: when the last of the approval and progression rules that bind the target
 * (of any policy) was satisfied, or with the version itself where there are none. Source: semantics 4.4; deployment
 * windows, which would move the start, are not evaluated by this release and block on their own.
 */
import type { Verdict } from "@sluice/domain/verdict"
import { anyApproval } from "./any-approval.ts"
import { rulesOf } from "./bind.ts"
import { environmentProgression } from "./environment-progression.ts"
import { type GateContext, latest } from "./gate.ts"

/** Epoch milliseconds; `undefined` while not started: a kind of rule is there and none of it is satisfied. */
export const rolloutStart = (context: GateContext): number | undefined => {
  const approvals = rulesOf(context.binding, "anyApproval").map(bound => anyApproval(bound, context))
  const progressions = rulesOf(context.binding, "environmentProgression").map(bound =>
    environmentProgression(bound, context),
  )
  const satisfied = [approvals, progressions].filter(verdicts => verdicts.length > 0).map(satisfiedAt)
  if (satisfied.length === 0) return context.candidate.createdAt
  return satisfied.includes(undefined) ? undefined : latest(satisfied)
}

const satisfiedAt = (verdicts: ReadonlyArray<Verdict>): number | undefined =>
  latest(verdicts.map(verdict => (verdict._tag === "Allow" ? verdict.satisfiedAt : undefined)))
