/**
 * Messages to the job actor of the dispatcher, keyed by the job set id: the jobs of one dispatch, one per matching
 * agent. Reports carry the fence (attempt): one for a lower attempt changes nothing and is counted.
 */

import { JobStatus } from "@sluice/domain/job-status"
import { JsonObject } from "@sluice/domain/json"
import { Schema } from "effect"

/** Creates the set: choose agents, merge configs, hand over. */
export const StartJobs = Schema.Struct({
  jobSetId: Schema.String,
  targetKey: Schema.String,
  releaseId: Schema.String,
  versionId: Schema.String,
  /** 1-based: the how-manieth job set of this release. */
  try: Schema.Int,
  purpose: Schema.Literals(["deploy", "rollback"]),
  reason: Schema.String,
})
export type StartJobs = typeof StartJobs.Type

/** `superseded`, `target left`, or a person's words. Asks the agents to stop; the end still has to be confirmed. */
export const CancelJobs = Schema.Struct({
  reason: Schema.String,
  superseded: Schema.optionalKey(Schema.Boolean),
})
export type CancelJobs = typeof CancelJobs.Type

/**
 * What an agent says, over NATS or HTTP, or a person over `PUT …/jobs/{id}/status`. `attempt` absent = the current one
 * (the contract's clients know no attempts).
 */
export const AgentReported = Schema.Struct({
  jobId: Schema.String,
  attempt: Schema.optionalKey(Schema.Int),
  status: JobStatus,
  message: Schema.optionalKey(Schema.String),
  externalId: Schema.optionalKey(Schema.String),
  links: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  outputs: Schema.optionalKey(JsonObject),
  /** Percent, 0 to 100. */
  progress: Schema.optionalKey(Schema.Finite),
  occurredAt: Schema.optionalKey(Schema.String),
  reportedBy: Schema.optionalKey(Schema.String),
})
export type AgentReported = typeof AgentReported.Type

/** A pull agent takes a queued job. Answered by a receipt: applied, or refused because it is not queued any more. */
export const ClaimJob = Schema.Struct({ jobId: Schema.String, jobAgentId: Schema.String })
export type ClaimJob = typeof ClaimJob.Type

/** What a bridge learned: the result of one agent call (an activity), through the door. */
export const AgentAnswered = Schema.Struct({
  jobId: Schema.String,
  attempt: Schema.Int,
  call: Schema.Literals(["dispatch", "probe", "cancel"]),
  outcome: Schema.Union([
    /** The agent has it, or it is still running: ask again after `probeAfterMs`. `null` = the agent reports by itself. */
    Schema.TaggedStruct("Running", {
      externalId: Schema.optionalKey(Schema.String),
      links: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
      probeAfterMs: Schema.NullOr(Schema.Int),
      message: Schema.optionalKey(Schema.String),
    }),
    /** Over: the agent says so. */
    Schema.TaggedStruct("Ended", {
      status: JobStatus,
      message: Schema.optionalKey(Schema.String),
      externalId: Schema.optionalKey(Schema.String),
      outputs: Schema.optionalKey(JsonObject),
    }),
    /** The agent does not know the job: never started there, or gone. */
    Schema.TaggedStruct("Unknown", { message: Schema.String }),
    /** The vendor refuses the job for good. */
    Schema.TaggedStruct("Rejected", { message: Schema.String }),
    /** `cancel` is not something this agent can do. */
    Schema.TaggedStruct("Unsupported", { message: Schema.String }),
  ]),
})
export type AgentAnswered = typeof AgentAnswered.Type

export const jobMessages = { StartJobs, CancelJobs, AgentReported, ClaimJob, AgentAnswered } as const
