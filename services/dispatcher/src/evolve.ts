/**
 * What an event changes in the state. Total: an event that cannot follow is a broken invariant and throws, which makes the
 * message a dead letter instead of a silent wrong state.
 */
import type { Moment } from "@sluice/actor/definition"
import type { JobEvent, JobSetEvent } from "./events.ts"
import { type ActiveJob, type Ended, type Job, type JobSet, statusOf } from "./state.ts"

export const evolve = (state: JobSet | undefined, event: JobSetEvent, moment: Omit<Moment, "id">): JobSet => {
  if (event._tag === "JobsStarted") {
    const { targetKey, releaseId, versionId, try: tryNumber, purpose } = event
    return {
      phase: "Active",
      targetKey,
      releaseId,
      versionId,
      try: tryNumber,
      purpose,
      createdAt: moment.now,
      jobs: event.jobs.map(created => created.job),
    }
  }
  if (state === undefined) throw new Error(`${event._tag} before the set was started`)
  if (event._tag === "SetSettled") {
    return { phase: "Settled", targetKey: state.targetKey, outcome: event.outcome, jobs: state.jobs.map(mustBeEnded) }
  }
  if (state.phase === "Settled")
    return { ...state, jobs: state.jobs.map(job => mustBeEnded(evolveOne(job, event, moment.now))) }
  return { ...state, jobs: state.jobs.map(job => evolveOne(job, event, moment.now)) }
}

const evolveOne = (job: Job, event: JobEvent, now: number): Job =>
  job.jobId === event.jobId ? evolveJob(job, event, now) : job

/** One job's step. `now` in epoch milliseconds. */
export const evolveJob = (job: Job, event: JobEvent, now: number): Job => {
  if (event._tag === "ReportIgnored") return { ...job, ignoredReports: job.ignoredReports + 1 }
  if (job.phase === "Ended") throw new Error(`${event._tag} after the end of job ${job.jobId}`)
  switch (event._tag) {
    case "JobRunning":
      if (job.phase === "Stopping" || job.phase === "Lost") return { ...job, status: event.status, lastSeenAt: now }
      return { ...withAgent(job), phase: "Running", status: event.status, lastSeenAt: now }
    case "JobNoted":
      return job.phase === "Queued" || job.phase === "HandedOver" ? job : { ...job, lastSeenAt: now }
    case "JobHandedOverAgain":
      return { ...withAgent(job), phase: "HandedOver", attempt: event.attempt, handedOverAt: now }
    case "JobAsked":
      return job.phase === "Stopping" ? { ...job, outstanding: event.call } : job
    case "JobStopping":
      return {
        ...withAgent(job),
        phase: "Stopping",
        status: heldStatus(job),
        lastSeenAt: lastSeenOf(job, now),
        cause: event.cause,
        outstanding: event.ask ? "cancel" : "dispatch",
      }
    case "JobOverdue":
      return job
    case "JobLost":
      if (job.phase !== "Stopping") throw new Error(`JobLost in phase ${job.phase} of job ${job.jobId}`)
      return {
        ...withAgent(job),
        phase: "Lost",
        status: job.status,
        lastSeenAt: job.lastSeenAt,
        cause: job.cause,
      }
    case "JobEnded":
      return {
        phase: "Ended",
        jobId: job.jobId,
        agentId: job.agentId,
        attempt: job.attempt,
        ignoredReports: job.ignoredReports,
        status: event.status,
        ...(event.note.message === undefined ? {} : { message: event.note.message }),
      }
  }
}

/** The fields every phase with an agent has, and none of the phase's own. */
const withAgent = (job: ActiveJob) => ({
  jobId: job.jobId,
  agentId: job.agentId,
  agentType: job.agentType,
  delivery: job.delivery,
  attempt: job.attempt,
  deadline: job.deadline,
  ignoredReports: job.ignoredReports,
  ...(job.proceedAfterMs === undefined ? {} : { proceedAfterMs: job.proceedAfterMs }),
})

const heldStatus = (job: ActiveJob) => {
  const status = statusOf(job)
  return status === "inProgress" || status === "actionRequired" ? status : "pending"
}

/** A job that was never heard of was last seen when it was handed over. */
export const lastSeenOf = (job: ActiveJob, now: number): number => {
  if (job.phase === "Queued") return now
  return job.phase === "HandedOver" ? job.handedOverAt : job.lastSeenAt
}

const mustBeEnded = (job: Job): Ended => {
  if (job.phase !== "Ended") throw new Error(`job ${job.jobId} is ${job.phase} in a settled set`)
  return job
}
