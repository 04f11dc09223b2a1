/**
 * What an answer to one of our calls (dispatch, probe, cancel) means for one job. Once a job was handed over it is only
 * ever asked about; it is offered again in one case: the agent is sure that it does not have it.
 */
import { type Decision, events } from "@sluice/actor/definition"
import { isTerminal } from "@sluice/domain/job-status"
import type { AgentAnswered } from "@sluice/protocol/job"
import type { JobEvent, Note } from "./events.ts"
import { endedByWord, endOf, seenRunning, withWords } from "./job-reports.ts"
import { attemptsMax, lostProbeEvery, stoppingProbeEvery } from "./limits.ts"
import { type ActiveJob, type Job, statusOf } from "./state.ts"

export const decideAnswer = (job: Job, answer: AgentAnswered): Decision<JobEvent> => {
  const { jobId, attempt, outcome, call } = answer
  if (attempt !== job.attempt || job.phase === "Ended") {
    // Late news of a run that is still going on is no report of an end: only the latter is worth counting.
    if (outcome._tag !== "Ended") return events<JobEvent>()
    const why = attempt < job.attempt ? "older attempt" : attempt > job.attempt ? "unknown attempt" : "ended"
    return events<JobEvent>({ _tag: "ReportIgnored", jobId, attempt, status: outcome.status, why })
  }
  // Nobody is called about a queued job, so this answers nothing we asked.
  if (job.phase === "Queued") return events<JobEvent>()
  switch (outcome._tag) {
    case "Running":
      return events(...stillRunning(job, call, noteOf(outcome), outcome.probeAfterMs))
    case "Ended":
      return isTerminal(outcome.status)
        ? events(endedByWord(job, outcome.status, noteOf(outcome), true))
        : events(...stillRunning(job, call, noteOf(outcome), null))
    case "Unknown":
      return events(unknownToAgent(job, call, outcome.message))
    case "Rejected":
      return events(rejected(job, call, outcome.message))
    case "Unsupported":
      return events(...unsupported(job, outcome.message))
  }
}

type Call = AgentAnswered["call"]

const stillRunning = (job: ActiveJob, call: Call, note: Note, probeAfter: number | null): ReadonlyArray<JobEvent> => {
  const { jobId } = job
  // A probe knows no finer status than "running": what the agent reported (`actionRequired`) stays.
  const status = statusOf(job) === "actionRequired" ? "actionRequired" : "inProgress"
  switch (job.phase) {
    case "Stopping":
      // The dispatch got through after all: now there is something to cancel.
      if (job.outstanding === "dispatch" && call === "dispatch") {
        return [seenRunning(job, status, note), { _tag: "JobAsked", jobId, call: "cancel" }]
      }
      return [seenRunning(job, status, note, Math.min(probeAfter ?? stoppingProbeEvery, stoppingProbeEvery))]
    case "Lost":
      return [seenRunning(job, status, note, lostProbeEvery)]
    case "Queued":
    case "HandedOver":
    case "Running":
      return [seenRunning(job, status, note, probeAfter)]
  }
}

/** The agent is sure that it is not running there: never started, or gone. */
const unknownToAgent = (job: ActiveJob, call: Call, message: string): JobEvent => {
  const { jobId } = job
  // A dispatch may be delivered twice; the later answer says nothing about a run that is known to have started.
  if (call === "dispatch" && isConfirmed(job)) return { _tag: "JobNoted", jobId, note: { message } }
  switch (job.phase) {
    case "Queued":
    case "HandedOver":
      if (job.attempt < attemptsMax) return { _tag: "JobHandedOverAgain", jobId, attempt: job.attempt + 1, message }
      return neverStarted(job, `the agent did not take the job in ${attemptsMax} attempts: ${message}`)
    case "Running":
      return { _tag: "JobEnded", jobId, status: "externalRunNotFound", note: { message }, ran: true }
    case "Stopping":
      return { _tag: "JobEnded", jobId, ...endOf(job.cause), note: withWords({}, job.cause), ran: isConfirmed(job) }
    case "Lost":
      return { _tag: "JobEnded", jobId, status: "externalRunNotFound", reason: "lost", note: { message }, ran: true }
  }
}

/** A refused dispatch never started. A refused probe or cancel says nothing about the run. */
const rejected = (job: ActiveJob, call: Call, message: string): JobEvent => {
  const { jobId } = job
  if (call !== "dispatch" || isConfirmed(job)) return { _tag: "JobNoted", jobId, note: { message } }
  if (job.phase !== "Stopping") return neverStarted(job, message)
  return { _tag: "JobEnded", jobId, ...endOf(job.cause), note: withWords({}, job.cause), ran: false }
}

const neverStarted = (job: ActiveJob, message: string): JobEvent => ({
  _tag: "JobEnded",
  jobId: job.jobId,
  status: "invalidIntegration",
  reason: "rejected",
  note: { message },
  ran: false,
})

/** Whether the agent is known to have had it. */
const isConfirmed = (job: ActiveJob): boolean => statusOf(job) !== "pending"

const unsupported = (job: ActiveJob, message: string): ReadonlyArray<JobEvent> => {
  const { jobId } = job
  // An agent that cannot cancel can still be asked whether it is over.
  if (job.phase === "Stopping" && job.outstanding !== "probe") return [{ _tag: "JobAsked", jobId, call: "probe" }]
  return [{ _tag: "JobNoted", jobId, note: { message } }]
}

const noteOf = (outcome: {
  message?: string
  externalId?: string
  links?: Note["links"]
  outputs?: Note["outputs"]
}): Note => ({
  ...(outcome.message === undefined ? {} : { message: outcome.message }),
  ...(outcome.externalId === undefined ? {} : { externalId: outcome.externalId }),
  ...(outcome.links === undefined ? {} : { links: outcome.links }),
  ...(outcome.outputs === undefined ? {} : { outputs: outcome.outputs }),
})
