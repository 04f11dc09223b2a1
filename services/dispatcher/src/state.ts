/**
 * What a job set knows between two messages: a union of phases, per set and per job, each with only the fields that are
 * true in it. What people read about a job (configs, context, messages, links) lives in its row, not here; an ended set
 * leaves a tombstone that is just large enough to answer late reports (promise P3).
 */
import type { JobStatus, TerminalJobStatus } from "@sluice/domain/job-status"

export type Purpose = "deploy" | "rollback"
/** `pull`: the agent claims it over HTTP, nobody is called. `push`: an activity hands it over. */
export type Delivery = "pull" | "push"

/** Why a job is being stopped. `words` are for people. */
export interface Cause {
  readonly kind: "deadline" | "superseded" | "cancelled"
  readonly words: string
}

interface HasAgent {
  readonly jobId: string
  readonly agentId: string
  readonly agentType: string
  readonly delivery: Delivery
  /** 1-based: which hand-over to the agent this is. The fence: a report for another one changes nothing. */
  readonly attempt: number
  /** Epoch milliseconds. */
  readonly deadline: number
  /** `onLost.proceedAfterSeconds` of the agent's config: how long after being lost the job may be given up. */
  readonly proceedAfterMs?: number
  readonly ignoredReports: number
}

/** Statuses of a job that an agent has. */
export type RunningStatus = "inProgress" | "actionRequired"

/** Waits to be claimed: nobody has it. */
export interface Queued extends HasAgent {
  readonly phase: "Queued"
}
/** Given to a bridge; whether the agent has it is not known yet. */
export interface HandedOver extends HasAgent {
  readonly phase: "HandedOver"
  readonly handedOverAt: number
}
export interface Running extends HasAgent {
  readonly phase: "Running"
  readonly status: RunningStatus
  readonly lastSeenAt: number
}
/** Shall end; the end is not confirmed. */
export interface Stopping extends HasAgent {
  readonly phase: "Stopping"
  readonly status: "pending" | RunningStatus
  readonly lastSeenAt: number
  readonly cause: Cause
  /**
   * What is outstanding with the agent. While the dispatch itself is unanswered nothing is asked: a cancel that overtook it
   * would be answered "unknown" and the job would then start.
   */
  readonly outstanding: "dispatch" | "cancel" | "probe"
}
/** Its deadline and patience passed without a confirmed end: it may still be running. Active (promise P1). */
export interface Lost extends HasAgent {
  readonly phase: "Lost"
  readonly status: "pending" | RunningStatus
  readonly lastSeenAt: number
  readonly cause: Cause
}
export interface Ended {
  readonly phase: "Ended"
  readonly jobId: string
  /** Absent when no agent was found for it. */
  readonly agentId?: string
  readonly attempt: number
  readonly ignoredReports: number
  readonly status: TerminalJobStatus
  readonly message?: string
}

export type ActiveJob = Queued | HandedOver | Running | Stopping | Lost
export type Job = ActiveJob | Ended
export const jobPhases = ["Queued", "HandedOver", "Running", "Stopping", "Lost", "Ended"] as const
export type JobPhase = (typeof jobPhases)[number]

export interface JobSetRef {
  readonly targetKey: string
  readonly releaseId: string
  readonly versionId: string
  /** 1-based: the how-manieth job set of this release. */
  readonly try: number
  readonly purpose: Purpose
}

export type JobSet =
  | ({ readonly phase: "Active"; readonly createdAt: number; readonly jobs: ReadonlyArray<Job> } & JobSetRef)
  /** The tombstone. */
  | {
      readonly phase: "Settled"
      readonly targetKey: string
      readonly outcome: TerminalJobStatus
      readonly jobs: ReadonlyArray<Ended>
    }

export const stateSchemaVersion = 1

/** Lifts a stored state; throws on a version this code does not know. */
export const readState = (stored: unknown, schemaVersion: number): JobSet => {
  if (schemaVersion !== stateSchemaVersion) throw new Error(`job set state of unknown version ${schemaVersion}`)
  return stored as JobSet
}

export const findJob = (state: JobSet, jobId: string): Job | undefined => state.jobs.find(job => job.jobId === jobId)

/** The wire status of a job in this phase. */
export const statusOf = (job: Job): JobStatus => {
  switch (job.phase) {
    case "Queued":
      return "queued"
    case "HandedOver":
      return "pending"
    case "Running":
    case "Stopping":
    case "Lost":
    case "Ended":
      return job.status
  }
}
