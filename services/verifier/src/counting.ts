/**
 * How measurements add up to a metric's verdict (semantics 4.10, as amended by its section 13). Pure arithmetic over
 * counts: it knows no rounds, no clock and no messages.
 */
import type { MeasurementStatus, MetricSpec } from "@sluice/domain/verification"

export interface Counts {
  /** Measurements that say something: passed, failed and inconclusive. A provider error is none. */
  readonly measured: number
  readonly passed: number
  readonly failed: number
  readonly inconclusive: number
  /** Passes since the last measurement that was none. */
  readonly consecutivePasses: number
  readonly consecutiveFailures: number
  /** Provider errors since the last measurement. */
  readonly consecutiveErrors: number
}

export const noCounts: Counts = {
  measured: 0,
  passed: 0,
  failed: 0,
  inconclusive: 0,
  consecutivePasses: 0,
  consecutiveFailures: 0,
  consecutiveErrors: 0,
}

/** A provider error leaves the runs of passes and failures as they are: nothing was measured. */
export const count = (before: Counts, status: MeasurementStatus): Counts => {
  if (status === "error") return { ...before, consecutiveErrors: before.consecutiveErrors + 1 }
  return {
    measured: before.measured + 1,
    passed: before.passed + (status === "passed" ? 1 : 0),
    failed: before.failed + (status === "failed" ? 1 : 0),
    inconclusive: before.inconclusive + (status === "inconclusive" ? 1 : 0),
    consecutivePasses: status === "passed" ? before.consecutivePasses + 1 : 0,
    consecutiveFailures: status === "failed" ? before.consecutiveFailures + 1 : 0,
    consecutiveErrors: 0,
  }
}

export type MetricVerdict =
  | { readonly _tag: "Continue" }
  | { readonly _tag: "Passed" }
  | { readonly _tag: "Failed"; readonly message: string }

/** Consecutive provider errors after which a metric fails, when the metric names no number of its own. */
export const maxErrorsDefault = 5

const proceed: MetricVerdict = { _tag: "Continue" }
const passed: MetricVerdict = { _tag: "Passed" }
const failed = (message: string): MetricVerdict => ({ _tag: "Failed", message })

/**
 * Over a failure threshold fails at once; `successThreshold` passes in a row end the metric early; at `count`
 * measurements within tolerance it passes, unless nothing passed and something was inconclusive: then
 * `inconclusiveIs` decides (V-VE-5). A threshold of 0 or less tolerates nothing; a success threshold of 0 is unset.
 */
export const judge = (spec: MetricSpec, counts: Counts): MetricVerdict => {
  const maxErrors = Math.max(1, spec.maxErrors ?? maxErrorsDefault)
  if (counts.consecutiveErrors >= maxErrors)
    return failed(`the provider gave ${times(counts.consecutiveErrors)} no measurement`)

  const consecutive = spec.failureThresholdCounts === "consecutive"
  const failures = consecutive ? counts.consecutiveFailures : counts.failed
  const tolerated = Math.max(0, spec.failureThreshold ?? 0)
  if (failures > tolerated) {
    return failed(`failed ${times(failures)}${consecutive ? " in a row" : ""}, ${tolerated} allowed`)
  }

  const enough = spec.successThreshold ?? 0
  if (enough > 0 && counts.consecutivePasses >= enough) return passed
  if (counts.measured < spec.count) return proceed
  if (counts.passed === 0 && counts.inconclusive > 0 && spec.inconclusiveIs !== "passed") {
    return failed(`nothing passed in ${counts.measured} measurements, ${counts.inconclusive} of them inconclusive`)
  }
  return passed
}

const times = (n: number): string => (n === 1 ? "once" : `${n} times`)
