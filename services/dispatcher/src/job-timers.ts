/**
 * What time and a wish to stop mean for one job. Every wait of a job has a timer here (promise P6): an unanswered hand-over
 * is asked about, a deadline becomes a cancel and a probe, and what stays unconfirmed is called lost.
 */
import { type Decision, events, refused } from "@sluice/actor/definition"
import type { CancelJobs } from "@sluice/protocol/job"
import type { JobEvent } from "./events.ts"
import { lastSeenOf } from "./evolve.ts"
import type { Cause, Job } from "./state.ts"

export const timerNames = ["probe", "deadline", "patience", "proceed"] as const
export type TimerName = (typeof timerNames)[number]

/** One timer per purpose and job: `<purpose>:<job id>`. */
export const timerOf = (name: TimerName, jobId: string): string => `${name}:${jobId}`

export const readTimer = (timer: string): { readonly name: TimerName; readonly jobId: string } | undefined => {
  const [name, jobId] = timer.split(":")
  return jobId !== undefined && (timerNames as ReadonlyArray<string>).includes(name ?? "")
    ? { name: name as TimerName, jobId }
    : undefined
}

const stale = refused("the timer's purpose has passed")

export const decideTimer = (job: Job, name: TimerName, now: number): Decision<JobEvent> => {
  if (job.phase === "Ended") return stale
  switch (name) {
    case "probe":
      return probe(job)
    case "deadline":
      return deadline(job)
    case "patience":
      return job.phase === "Stopping" ? events(lost(job, now)) : stale
    case "proceed":
      return job.phase === "Lost" ? events(givenUp(job.jobId)) : stale
  }
}

/** Asks the agent to stop. The end is the agent's to confirm, except where nobody has the job. */
export const decideCancel = (job: Job, request: CancelJobs): ReadonlyArray<JobEvent> => {
  const { jobId } = job
  const cause: Cause = { kind: request.superseded === true ? "superseded" : "cancelled", words: request.reason }
  switch (job.phase) {
    case "Queued":
      return [
        {
          _tag: "JobEnded",
          jobId,
          status: "cancelled",
          reason: cause.kind,
          note: { message: cause.words },
          ran: false,
        },
      ]
    case "HandedOver":
      return [{ _tag: "JobStopping", jobId, cause, ask: false }]
    case "Running":
      return [{ _tag: "JobStopping", jobId, cause, ask: true }]
    case "Lost":
      return job.delivery === "push" ? [{ _tag: "JobAsked", jobId, call: "cancel" }] : []
    case "Stopping":
    case "Ended":
      return []
  }
}

const probe = (job: Exclude<Job, { phase: "Ended" }>): Decision<JobEvent> => {
  if (job.delivery === "pull") return stale
  // A cancel that was never answered, or was held back behind the dispatch, is due first.
  const call = job.phase === "Stopping" && job.outstanding !== "probe" ? "cancel" : "probe"
  return events<JobEvent>({ _tag: "JobAsked", jobId: job.jobId, call })
}

const deadline = (job: Exclude<Job, { phase: "Ended" }>): Decision<JobEvent> => {
  const { jobId } = job
  switch (job.phase) {
    case "Queued":
      return events<JobEvent>({
        _tag: "JobEnded",
        jobId,
        status: "failure",
        reason: "deadline",
        note: { message: "nobody claimed the job by its deadline" },
        ran: false,
      })
    case "HandedOver":
    case "Running": {
      const words = "the job was not over by its deadline"
      return events<JobEvent>({ _tag: "JobStopping", jobId, cause: { kind: "deadline", words }, ask: true })
    }
    case "Stopping":
      return events<JobEvent>({ _tag: "JobOverdue", jobId })
    case "Lost":
      return stale
  }
}

const lost = (job: Extract<Job, { phase: "Stopping" }>, now: number): JobEvent => ({
  _tag: "JobLost",
  jobId: job.jobId,
  lastSeenAt: lastSeenOf(job, now),
  message: `${job.cause.words}; its end is not confirmed, so it may still be running`,
})

const givenUp = (jobId: string): JobEvent => ({
  _tag: "JobEnded",
  jobId,
  status: "externalRunNotFound",
  reason: "lost",
  note: { message: "the agent's onLost setting gives the job up" },
  ran: true,
})
