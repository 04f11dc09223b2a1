/**
 * retry: may a release that did not succeed be tried once more, and when? Judged on tries (job sets), not jobs. Without a
 * rule a release is tried once. A success is never run again. Source: semantics 4.8 with section 13.
 */
import type { TerminalJobStatus } from "@sluice/domain/job-status"
import type { Retry } from "@sluice/domain/policy"
import { allow, type Verdict } from "@sluice/domain/verdict"
import { deny, instant, latest, wait } from "./gate.ts"

export interface EndedTry {
  readonly outcome: TerminalJobStatus
  /** Epoch milliseconds. */
  readonly endedAt: number
}

/**
 * `tries`: the ended tries of the release since another release was tried on this target, newest first. `Wait` has the
 * end of the back-off in `until`; `Deny` means that the tries are used up.
 */
export const mayTryAgain = (input: {
  readonly rules: ReadonlyArray<Retry>
  readonly tries: ReadonlyArray<EndedTry>
  readonly now: number
}): Verdict => {
  const { rules, tries, now } = input
  const newest = tries[0]
  if (newest === undefined) return allow()
  if (newest.outcome === "successful") return deny("the release has succeeded, and a success is not run again", [])
  if (rules.length === 0) return deny("the one try without a retry rule is used up", [])

  const verdicts = rules.map(rule => ofRule(rule, tries, newest, now))
  const denied = verdicts.find(verdict => verdict._tag === "Deny")
  if (denied !== undefined) return denied
  const until = latest(verdicts.map(verdict => (verdict._tag === "Wait" ? verdict.until : undefined)))
  return until === undefined ? allow() : wait(`the next try is due ${instant(until)}`, [], { until, action: "wait" })
}

/** What counts towards the limit when the rule names nothing (an empty list names nothing). */
const defaultStatuses: ReadonlyArray<string> = ["failure", "invalidIntegration", "invalidJobAgent"]

const ofRule = (rule: Retry, tries: ReadonlyArray<EndedTry>, newest: EndedTry, now: number): Verdict => {
  const named = rule.retryOnStatuses ?? []
  const counted: ReadonlyArray<string> = named.length === 0 ? defaultStatuses : named
  const firstOther = tries.findIndex(ended => !counted.includes(ended.outcome))
  const count = firstOther < 0 ? tries.length : firstOther
  if (count > rule.maxRetries) {
    return deny(`${count} ${count === 1 ? "try" : "tries"} failed, ${rule.maxRetries} retries allowed`, [])
  }
  if (count === 0) return allow()
  const until = newest.endedAt + backoffSeconds(rule, count) * 1000
  return now < until ? wait(`retry ${count} of ${rule.maxRetries} is due ${instant(until)}`, [], { until }) : allow()
}

/** Before retry number `count`. `linear` is constant, despite the name; the maximum caps `exponential` only. */
export const backoffSeconds = (rule: Retry, count: number): number => {
  const base = rule.backoffSeconds ?? 0
  if (rule.backoffStrategy !== "exponential") return base
  return Math.min(base * 2 ** (count - 1), rule.maxBackoffSeconds ?? Number.POSITIVE_INFINITY)
}
