/** Messages to the verification actor, keyed by the verification id. */
import { JsonObject } from "@sluice/domain/json"
import { MeasurementStatus, MetricSpec } from "@sluice/domain/verification"
import { Schema } from "effect"

/** Creates the verification. `context` is what templates in providers and conditions see (semantics 7.3). */
export const StartVerification = Schema.Struct({
  verificationId: Schema.String,
  targetKey: Schema.String,
  jobSetId: Schema.String,
  jobIds: Schema.Array(Schema.String),
  releaseId: Schema.String,
  versionId: Schema.String,
  metrics: Schema.Array(MetricSpec),
  context: JsonObject,
})
export type StartVerification = typeof StartVerification.Type

/** The result of one probe activity. `round` is the fence: one per metric and round is counted. */
export const ProbeMeasured = Schema.Struct({
  metric: Schema.Int,
  round: Schema.Int,
  status: MeasurementStatus,
  message: Schema.optionalKey(Schema.String),
  /** What the provider answered, without secrets, cut to a bound. */
  data: Schema.optionalKey(JsonObject),
  /** Epoch milliseconds, the probe's start. */
  measuredAt: Schema.Int,
})
export type ProbeMeasured = typeof ProbeMeasured.Type

/** The target no longer wants to know (it left, or its release was replaced). */
export const AbandonVerification = Schema.Struct({ reason: Schema.String })
export type AbandonVerification = typeof AbandonVerification.Type

export const verificationMessages = { StartVerification, ProbeMeasured, AbandonVerification } as const
