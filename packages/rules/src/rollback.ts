/**
 * rollback: is a target taken back to its last known-good release after a failure, and how far does that reach? Without
 * any rule a failed verification takes its own target back. Rules replace that default; when several trigger, the widest
 * scope wins. Source: api-additions, semantics 4.12 [us].
 */
import type { TerminalJobStatus } from "@sluice/domain/job-status"
import type { Rollback } from "@sluice/domain/policy"

export type RollbackScope = "target" | "environment" | "deployment"

export type Failure =
  | { readonly _tag: "VerificationFailed"; readonly message: string }
  /** No retry is left. */
  | { readonly _tag: "TriesExhausted"; readonly outcome: TerminalJobStatus }

/** Targets on which this version failed for good, the one that just failed included. */
export interface FailedTargets {
  readonly environment: number
  readonly deployment: number
}

export type RollbackDecision =
  | { readonly _tag: "Stay"; readonly reason: string }
  /** Quarantine the version in `scope`, and take its targets back. */
  | { readonly _tag: "RollBack"; readonly scope: RollbackScope; readonly reason: string }

export const decideRollback = (input: {
  readonly rules: ReadonlyArray<Rollback>
  readonly failure: Failure
  readonly failed: FailedTargets
}): RollbackDecision => {
  const { failure, failed } = input
  const rules = input.rules.length > 0 ? input.rules : [withoutRule]
  const reason =
    failure._tag === "VerificationFailed"
      ? `verification failed: ${failure.message}`
      : `the last try ended ${failure.outcome}`
  const scopes = rules.filter(rule => triggers(rule, failure)).map(rule => reach(rule, failed))
  const widest = (["deployment", "environment", "target"] as const).find(scope => scopes.includes(scope))
  return widest === undefined
    ? { _tag: "Stay", reason: `${reason}; no rollback rule asks to go back` }
    : { _tag: "RollBack", scope: widest, reason }
}

/** With a threshold above one, a loader has to count failed targets; with one, the failing target is enough. */
export const countsFailedTargets = (rules: ReadonlyArray<Rollback>): boolean =>
  rules.some(rule => (rule.failedTargets ?? 1) > 1 && (rule.scope ?? "target") !== "target")

const withoutRule: Rollback = { onVerificationFailure: true, onJobStatuses: [] }

const triggers = (rule: Rollback, failure: Failure): boolean =>
  failure._tag === "VerificationFailed"
    ? (rule.onVerificationFailure ?? true)
    : (rule.onJobStatuses ?? ["failure"]).includes(failure.outcome)

/** Below its threshold a wider rule still takes back the target that failed. */
const reach = (rule: Rollback, failed: FailedTargets): RollbackScope => {
  const scope = rule.scope ?? "target"
  return scope !== "target" && failed[scope] < (rule.failedTargets ?? 1) ? "target" : scope
}
