/**
 * What a policy rule answers. "Not yet" is a value: a rule that cannot allow says what it waits for, who must act and,
 * if time alone will change the answer, when to ask again.
 */
import { Schema } from "effect"

/**
 * A coarse subject a target waits on: whoever changes something that could change a verdict wakes all who wait on the
 * subject. Its text form is the key of the wait index; `wait-subject.ts` in `rules` is the only place that spells one.
 */
export const WaitSubject = Schema.String.pipe(Schema.brand("WaitSubject"))
export type WaitSubject = typeof WaitSubject.Type

export type Verdict =
  | { readonly _tag: "Allow"; readonly satisfiedAt?: number; readonly askAgainAt?: number; readonly details?: Details }
  | {
      readonly _tag: "Wait"
      readonly reason: string
      readonly on: ReadonlyArray<WaitSubject>
      /** Epoch milliseconds at which time alone changes the answer. */
      readonly until?: number
      readonly action?: "approval" | "wait"
      readonly details?: Details
    }
  | {
      readonly _tag: "Deny"
      readonly reason: string
      readonly on: ReadonlyArray<WaitSubject>
      readonly details?: Details
    }

export type Details = { readonly [key: string]: unknown }

export const allow = (more: { satisfiedAt?: number; askAgainAt?: number; details?: Details } = {}): Verdict => ({
  _tag: "Allow",
  ...more,
})
