/**
 * `nats`: the pure half of the native agent protocol. One message of work per job on a subject of its own, its life a
 * little longer than the job's; what the broker knows about that message decides what a probe and a cancel may say.
 */
import type { AgentWork } from "@sluice/protocol/intake"
import { DateTime, Schema } from "effect"
import { commonConfig } from "./common-config.ts"
import type { AgentAnswer, AgentJob } from "./driver.ts"

export const NatsConfig = Schema.Struct({
  ...commonConfig,
  /** Seconds without a sign of life after which the broker gives the job to another instance of the agent; 30 unless told. */
  ackWaitSeconds: Schema.optionalKey(Schema.Finite.check(Schema.isGreaterThan(0))),
})
export type NatsConfig = typeof NatsConfig.Type

/**
 * Work outlives its deadline by this much, so that the cancel at the deadline still finds it and can tell a job that nobody
 * took (over, safely) from one that somebody may be running (lost).
 */
export const workOutlivesDeadline = 120_000

/** Milliseconds until the broker may drop the work; at least a second, the broker's finest grain. */
export const workTimeToLive = (job: AgentJob): number =>
  Math.max(1_000, Math.ceil((job.deadline - job.now + workOutlivesDeadline) / 1_000) * 1_000)

export const workOf = (job: AgentJob, reportSubject: string): AgentWork => ({
  schemaVersion: 1,
  jobId: job.jobId,
  attempt: job.attempt,
  workspaceId: job.workspaceId,
  jobAgentId: job.jobAgentId,
  deadline: DateTime.formatIso(DateTime.makeUnsafe(job.deadline)),
  reportSubject,
  jobAgentConfig: job.config,
  dispatchContext: job.dispatchContext,
})

/** Where a job's message of work was when it was withdrawn. */
export type Withdrawn =
  /** It lay there and no instance of the agent had ever been given it. */
  | "untaken"
  /** It had been given out at least once, and was not acknowledged. */
  | "taken"
  /** There was none: done and acknowledged, expired, or lost with the broker. */
  | "absent"

/** An agent acknowledges after its last report, so work still there is work under way or waiting. */
export const answerToProbe = (job: AgentJob, present: boolean): AgentAnswer => {
  if (present) return { _tag: "Running", probeAfterMs: null }
  return job.confirmed
    ? {
        _tag: "Running",
        probeAfterMs: null,
        message: "no work is waiting at the broker: only the agent's report can tell",
      }
    : // Saying "running" would claim that it was handed over; saying "unknown" that nobody has it. Neither is known.
      {
        _tag: "Unsupported",
        message: "no work is waiting at the broker: it was not stored yet, or the agent has finished",
      }
}

export const answerToCancel = (withdrawn: Withdrawn): AgentAnswer => {
  switch (withdrawn) {
    case "untaken":
      return { _tag: "Ended", status: "cancelled", message: "withdrawn before any agent took it" }
    case "taken":
      return {
        _tag: "Running",
        probeAfterMs: null,
        message: "withdrawn from the broker; the agent that took it may go on",
      }
    case "absent":
      return { _tag: "Running", probeAfterMs: null, message: "nothing to withdraw: the agent may have it" }
  }
}
