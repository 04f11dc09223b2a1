/**
 * What an agent driver is: a value that translates three calls into one vendor's words. A driver keeps nothing: all it
 * knows comes with the job, and every call may be repeated. It does not retry and does not wait; both are the caller's.
 */
import type { JsonObject } from "@sluice/domain/json"
import type { AgentAnswered } from "@sluice/protocol/job"
import type { Effect } from "effect"
import type { AgentType } from "./registry.ts"

/** The job as its driver sees it. Times in epoch milliseconds, database clock. */
export interface AgentJob {
  readonly workspaceId: string
  readonly jobAgentId: string
  readonly jobSetId: string
  readonly jobId: string
  readonly targetKey: string
  /** 1-based: the how-manieth job set of its release. */
  readonly try: number
  /** 1-based: the how-manieth hand-over. With the job id the idempotency key of a dispatch. */
  readonly attempt: number
  /** Whether the job is known to have reached its agent. */
  readonly confirmed: boolean
  /** Merged: agent ← deployment ← version. */
  readonly config: JsonObject
  readonly dispatchContext: JsonObject
  /** What the agent called the run, as far as it told. */
  readonly externalId?: string
  readonly createdAt: number
  readonly deadline: number
  readonly now: number
}

/** What an agent says to a call; the five meanings stand with the message. */
export type AgentAnswer = AgentAnswered["outcome"]

export type CallResult =
  | AgentAnswer
  /** No answer this time. `retryAfterMs` where the vendor said so. */
  | { readonly _tag: "Transient"; readonly reason: string; readonly retryAfterMs?: number }

export interface AgentDriver<R = never> {
  readonly type: AgentType["type"]
  /**
   * Whether a probe may ever say `Unknown`. If so a hand-over is only carried out for a short while, so that the "unknown"
   * cannot be overtaken by it; if not, it is worth carrying out until the job's deadline.
   */
  readonly saysUnknown: boolean
  /** Hands the job over. Doing it twice for the same job and attempt must start it once. */
  readonly dispatch: (job: AgentJob) => Effect.Effect<CallResult, never, R>
  /** How is it? `Unknown` only when the agent is sure that it is not running it: the job may then be offered again. */
  readonly probe: (job: AgentJob) => Effect.Effect<CallResult, never, R>
  /** Stop it. `Ended` only when it is certain that it does not run any more. */
  readonly cancel: (job: AgentJob) => Effect.Effect<CallResult, never, R>
  /** How often an end is told; once unless the driver simulates an agent that repeats itself. */
  readonly repeats?: (job: AgentJob) => number
}
