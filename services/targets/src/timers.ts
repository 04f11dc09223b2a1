/** The timers of a target, and how long it waits for others before it says that it has waited too long. */
import type { MetricSpec } from "@sluice/domain/verification"

/** The rules named a moment, a retry is due, or a result asks for a look with fresh facts. */
export const evaluateTimer = "evaluate"
/** Register, then look again: the same evaluation in a new transaction, after the waits were written. */
export const secondLookTimer = "second-look"
export const patienceTimer = "patience"

/**
 * Milliseconds. A job's own deadline is an hour unless its agent's config names another; past it the dispatcher says
 * "settled" or "lost". A job with a longer deadline is merely called overdue meanwhile: this timer changes no decision.
 */
export const jobPatience = 2 * 3_600_000
/** Beyond the metrics' own deadlines (`interval × count + 300 s`, or what they name): the answer's way back. */
const verificationMargin = 300_000
const sleepSecondsDefault = 30

export const verificationPatience = (metrics: ReadonlyArray<MetricSpec>): number =>
  verificationMargin + Math.max(0, ...metrics.map(deadlineOf))

const deadlineOf = (spec: MetricSpec): number => {
  const sleep = spec.provider.type === "sleep" ? secondsOf(spec.provider.durationSeconds) : 0
  return (spec.timeoutSeconds ?? (spec.intervalSeconds + sleep) * spec.count + 300) * 1000
}

const secondsOf = (value: unknown): number => (typeof value === "number" ? value : sleepSecondsDefault)
