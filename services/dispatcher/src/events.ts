/**
 * What can happen to a job set. Events carry what the projections need (configs, contexts, messages), of which the state
 * keeps little. Those about one job name it by `jobId`.
 */
import type { JobStatus, TerminalJobStatus } from "@sluice/domain/job-status"
import type { JsonObject, Metadata } from "@sluice/domain/json"
import type { Cause, Ended, HandedOver, JobSetRef, Queued, RunningStatus } from "./state.ts"

/** What an agent told beside the status. */
export interface Note {
  readonly message?: string
  readonly externalId?: string
  /** Label → URL. */
  readonly links?: { readonly [label: string]: string }
  readonly outputs?: JsonObject
  /** Percent, 0 to 100. */
  readonly progress?: number
}

/** A job at its creation, beside what its row keeps for good. */
export interface CreatedJob {
  readonly job: Queued | HandedOver | Ended
  readonly config: JsonObject
  readonly dispatchContext: JsonObject
  readonly metadata: Metadata
  readonly deadline: number
}

export type JobEvent =
  /** The agent has it, or its status changed. `probeAfter` (ms): ask then; null: it reports by itself. */
  | {
      readonly _tag: "JobRunning"
      readonly jobId: string
      readonly status: RunningStatus
      readonly note: Note
      readonly probeAfter?: number | null
    }
  /** Heard of, without a change of status. */
  | {
      readonly _tag: "JobNoted"
      readonly jobId: string
      readonly note: Note
      readonly probeAfter?: number | null
    }
  /** The agent is sure it does not have it, so it is offered again under the next attempt. */
  | { readonly _tag: "JobHandedOverAgain"; readonly jobId: string; readonly attempt: number; readonly message: string }
  /** Asked about once more: what was outstanding is late, or a better question is due. */
  | { readonly _tag: "JobAsked"; readonly jobId: string; readonly call: "probe" | "cancel" }
  | { readonly _tag: "JobStopping"; readonly jobId: string; readonly cause: Cause; readonly ask: boolean }
  /** Its deadline passed while it was already being stopped. */
  | { readonly _tag: "JobOverdue"; readonly jobId: string }
  | { readonly _tag: "JobLost"; readonly jobId: string; readonly lastSeenAt: number; readonly message: string }
  | {
      readonly _tag: "JobEnded"
      readonly jobId: string
      readonly status: TerminalJobStatus
      /** `deadline`, `lost`, `superseded`, `cancelled`, `rejected`; absent when the agent's word is the whole story. */
      readonly reason?: string
      readonly note: Note
      /** Whether the agent ever had it. */
      readonly ran: boolean
    }
  /** Promise P3: counted, and nothing else. */
  | {
      readonly _tag: "ReportIgnored"
      readonly jobId: string
      readonly attempt?: number
      readonly status: JobStatus
      readonly why: "older attempt" | "unknown attempt" | "ended"
    }

export type JobSetEvent =
  | ({ readonly _tag: "JobsStarted"; readonly jobs: ReadonlyArray<CreatedJob> } & JobSetRef)
  | JobEvent
  | { readonly _tag: "SetSettled"; readonly outcome: TerminalJobStatus; readonly message?: string }
