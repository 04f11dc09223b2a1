/** Verification metrics: what is probed after a job succeeded, how often, and what counts as passed. */
import { Schema } from "effect"

/** 32 bits, as generated clients of the contract read it. */
const positive = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 2 ** 31 - 1 }))

export const HttpProvider = Schema.Struct({
  type: Schema.Literal("http"),
  url: Schema.String,
  method: Schema.optionalKey(Schema.Literals(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])),
  headers: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  body: Schema.optionalKey(Schema.String),
  /** Duration text such as `10s` or `1m`; 30 s when absent. */
  timeout: Schema.optionalKey(Schema.String),
})
export type HttpProvider = typeof HttpProvider.Type

export const SleepProvider = Schema.Struct({
  type: Schema.Literal("sleep"),
  durationSeconds: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 3600 }))),
})
export type SleepProvider = typeof SleepProvider.Type

/** Stored and returned, not probed by this release: a metric with such a provider ends with provider errors. */
export const LaterProvider = Schema.StructWithRest(
  Schema.Struct({ type: Schema.Literals(["datadog", "prometheus", "terraformCloudRun"]) }),
  [Schema.Record(Schema.String, Schema.Unknown)],
)
export type LaterProvider = typeof LaterProvider.Type

export const MetricProvider = Schema.Union([HttpProvider, SleepProvider, LaterProvider])
export type MetricProvider = typeof MetricProvider.Type

export const MetricSpec = Schema.Struct({
  name: Schema.String,
  intervalSeconds: positive,
  count: positive,
  provider: MetricProvider,
  /** CEL over `result`, a template over the verification context first. */
  successCondition: Schema.String,
  successThreshold: Schema.optionalKey(Schema.Int),
  failureCondition: Schema.optionalKey(Schema.String),
  failureThreshold: Schema.optionalKey(Schema.Int),
  failureThresholdCounts: Schema.optionalKey(Schema.Literals(["total", "consecutive"])),
  /** Consecutive provider errors tolerated; 5 when absent. */
  maxErrors: Schema.optionalKey(Schema.Int),
  /** Seconds; interval × count + 300 when absent. */
  timeoutSeconds: Schema.optionalKey(positive),
  inconclusiveIs: Schema.optionalKey(Schema.Literals(["failed", "passed"])),
})
export type MetricSpec = typeof MetricSpec.Type

export const MeasurementStatus = Schema.Literals(["passed", "failed", "inconclusive", "error"])
export type MeasurementStatus = typeof MeasurementStatus.Type

export type VerificationStatus = "running" | "passed" | "failed"
