/**
 * What a rule that gates a start is: a pure function from its body, the candidate and the facts to a verdict. Small
 * helpers that every rule file shares stand here, so that waiting on a missing fact reads the same everywhere.
 */
import type { RolloutScope, RuleKind } from "@sluice/domain/policy"
import type { Verdict, WaitSubject } from "@sluice/domain/verdict"
import type { Binding, BoundRule } from "./bind.ts"
import type { Expressions } from "./expressions.ts"
import type { Candidate, Facts, TargetHistory, TargetSubject } from "./facts.ts"

export interface GateContext {
  readonly subject: TargetSubject
  /** All rules that bind the target: a rollout's clock starts when the other rules are satisfied. */
  readonly binding: Binding
  readonly candidate: Candidate
  readonly history: TargetHistory
  readonly facts: Facts
  readonly expressions: Expressions
  /** Epoch milliseconds. */
  readonly now: number
}

export type Gate<K extends RuleKind> = (bound: BoundRule<K>, context: GateContext) => Verdict

/** The (deployment, environment) in which the target's caps, orders and approvals are counted. */
export const scopeOf = (subject: TargetSubject): RolloutScope => ({
  deploymentId: subject.deployment.id,
  environmentId: subject.environment.id,
})

type WaitMore = Omit<Extract<Verdict, { readonly _tag: "Wait" }>, "_tag" | "reason" | "on">

export const wait = (reason: string, on: ReadonlyArray<WaitSubject>, more: WaitMore = {}): Verdict => ({
  _tag: "Wait",
  reason,
  on,
  ...more,
})

type DenyMore = Omit<Extract<Verdict, { readonly _tag: "Deny" }>, "_tag" | "reason" | "on">

export const deny = (reason: string, on: ReadonlyArray<WaitSubject>, more: DenyMore = {}): Verdict => ({
  _tag: "Deny",
  reason,
  on,
  ...more,
})

/** A fact that should be there and is not: never an allow, and named, so that somebody can look for it. */
export const missingFact = (what: string, key: string, on: ReadonlyArray<WaitSubject>): Verdict =>
  wait(`the ${what} could not be read (${key})`, on)

/** Epoch milliseconds as people and the contract read them. */
export const instant = (epochMs: number): string => new Date(epochMs).toISOString()

export const minutesMs = (minutes: number): number => minutes * 60_000
export const hoursMs = (hours: number): number => hours * 3_600_000

/** The smallest, or the largest, of what is there. */
export const earliest = (times: ReadonlyArray<number | undefined>): number | undefined =>
  times.reduce((best, time) => (best === undefined || (time !== undefined && time < best) ? time : best), undefined)
export const latest = (times: ReadonlyArray<number | undefined>): number | undefined =>
  times.reduce((best, time) => (best === undefined || (time !== undefined && time > best) ? time : best), undefined)
