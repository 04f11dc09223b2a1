/** Messages to the release target actor, keyed by the release target key. */
import { terminalJobStatuses } from "@sluice/domain/job-status"
import { Schema } from "effect"

/** "Look again": evaluate the policies from the facts as they are now. The creating message of a target. */
export const Reconcile = Schema.Struct({
  reason: Schema.String,
})
export type Reconcile = typeof Reconcile.Type

/** One job of the set moved, shown in `why`; changes no decision. */
export const JobProgressed = Schema.Struct({
  jobSetId: Schema.String,
  jobId: Schema.String,
  status: Schema.String,
})
export type JobProgressed = typeof JobProgressed.Type

/** All jobs of a set are over. `at` is the database time of the last end, epoch milliseconds. */
export const JobSettled = Schema.Struct({
  jobSetId: Schema.String,
  outcome: Schema.Literals(terminalJobStatuses),
  message: Schema.optionalKey(Schema.String),
  jobIds: Schema.Array(Schema.String),
  at: Schema.Int,
})
export type JobSettled = typeof JobSettled.Type

/** A deadline passed without a confirmed end: the job may still be running. The target is held until it settles. */
export const JobLost = Schema.Struct({
  jobSetId: Schema.String,
  jobId: Schema.String,
  lastSeenAt: Schema.Int,
  message: Schema.String,
})
export type JobLost = typeof JobLost.Type

export const VerificationConcluded = Schema.Struct({
  verificationId: Schema.String,
  status: Schema.Literals(["passed", "failed"]),
  message: Schema.String,
  /** Measured time of the first failing probe, when one failed. */
  firstFailedAt: Schema.optionalKey(Schema.Int),
  at: Schema.Int,
})
export type VerificationConcluded = typeof VerificationConcluded.Type

/** A person releases a hold or a quarantine, or orders the desired release to run once more. Answered by a receipt. */
export const Redeploy = Schema.Struct({ reason: Schema.String, userId: Schema.String })
export type Redeploy = typeof Redeploy.Type
export const ReleaseQuarantine = Schema.Struct({
  reason: Schema.String,
  userId: Schema.String,
  versionId: Schema.optionalKey(Schema.String),
})
export type ReleaseQuarantine = typeof ReleaseQuarantine.Type
export const ReleaseHold = Schema.Struct({ reason: Schema.String, userId: Schema.String })
export type ReleaseHold = typeof ReleaseHold.Type

export const targetMessages = {
  Reconcile,
  JobProgressed,
  JobSettled,
  JobLost,
  VerificationConcluded,
  Redeploy,
  ReleaseQuarantine,
  ReleaseHold,
} as const
