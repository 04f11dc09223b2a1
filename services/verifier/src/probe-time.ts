/**
 * The times of a metric: how long one probe may take, how long a sleeping one sleeps, when a lost answer is asked for
 * again and when the whole metric has to be over. All in milliseconds.
 */
import type { MetricSpec } from "@sluice/domain/verification"

const probeTimeoutDefault = 30_000
/** A probe holds one of the process's probe slots while it runs; nothing healthy takes longer to answer. */
export const probeTimeoutMax = 300_000
/** How long an answer may be on its way through queue and door before it counts as lost. */
const answerMargin = 30_000
/** What semantics 13 adds to interval × count. */
const deadlineMargin = 300_000
const sleepDefault = 30_000

const units: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
}

/** Reads duration text such as `10s`, `1m30s` or `500ms`; `undefined` when it is none or not above zero. */
export const parseDuration = (text: string): number | undefined => {
  if (!/^(\d+(\.\d+)?(ns|us|µs|μs|ms|s|m|h))+$/.test(text)) return undefined
  let total = 0
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|μs|ms|s|m|h)/g)) {
    total += Number(amount) * (units[unit as string] ?? 0)
  }
  return total > 0 ? total : undefined
}

/** The time limit of one probe, never above `probeTimeoutMax`; `undefined` when the metric's own text is no duration. */
export const probeTimeout = (spec: MetricSpec): number | undefined => {
  if (spec.provider.type !== "http" || spec.provider.timeout === undefined) return probeTimeoutDefault
  const timeout = parseDuration(spec.provider.timeout)
  return timeout === undefined ? undefined : Math.min(timeout, probeTimeoutMax)
}

/** A `sleep` provider's probe is asked for only after it slept: the timer sleeps, not a worker. */
export const sleepBefore = (spec: MetricSpec): number => {
  if (spec.provider.type !== "sleep") return 0
  return spec.provider.durationSeconds === undefined ? sleepDefault : spec.provider.durationSeconds * 1_000
}

/** From asking to asking again for the same round. */
export const askAgainAfter = (spec: MetricSpec): number => (probeTimeout(spec) ?? probeTimeoutDefault) + answerMargin

/**
 * From the start to the end whatever happens: `timeoutSeconds`, else interval × count + 300 s. Sleeps count on top of
 * the default, or a sleep longer than five minutes could never pass.
 */
export const metricDeadline = (spec: MetricSpec): number =>
  spec.timeoutSeconds === undefined
    ? (spec.intervalSeconds * 1_000 + sleepBefore(spec)) * spec.count + deadlineMargin
    : spec.timeoutSeconds * 1_000
