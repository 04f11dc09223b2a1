/**
 * What a word from outside means for one job: an agent's report, a person's, a claim. The fence comes first: a report for
 * another attempt, or after the end, changes nothing and is counted (promise P3).
 */
import { type Decision, events, refused } from "@sluice/actor/definition"
import { isTerminal, type TerminalJobStatus } from "@sluice/domain/job-status"
import type { AgentReported, ClaimJob } from "@sluice/protocol/job"
import type { JobEvent, Note } from "./events.ts"
import { type ActiveJob, type Cause, type Job, type RunningStatus, statusOf } from "./state.ts"

export const decideReport = (job: Job, report: AgentReported): Decision<JobEvent> => {
  const { jobId, attempt, status } = report
  const ignored = (why: "older attempt" | "unknown attempt" | "ended") =>
    events<JobEvent>({ _tag: "ReportIgnored", jobId, status, why, ...(attempt === undefined ? {} : { attempt }) })

  if (attempt !== undefined && attempt < job.attempt) return ignored("older attempt")
  if (attempt !== undefined && attempt > job.attempt) return ignored("unknown attempt")
  if (job.phase === "Ended") {
    // Whoever names no attempt is a caller who waits for an answer, and should learn that nothing was changed.
    if (attempt === undefined && status !== job.status)
      return refused(`the job has ended as ${job.status} and never reopens`)
    return ignored("ended")
  }

  const note = noteOf(report)
  if (isTerminal(status)) return events(endedByWord(job, status, note, attempt !== undefined))
  if (status === "pending" || status === "queued") {
    return status === statusOf(job)
      ? events<JobEvent>({ _tag: "JobNoted", jobId, note })
      : refused(`a job that was handed over does not go back to ${status}`)
  }
  return events(seenRunning(job, status, note))
}

/** A pull agent takes a job. Exactly one claim is applied, whoever else tries. */
export const decideClaim = (job: Job, claim: ClaimJob): Decision<JobEvent> => {
  if (job.agentId !== claim.jobAgentId) return refused("the job belongs to another agent")
  if (job.phase !== "Queued") return refused(`the job is ${statusOf(job)}, not queued any more`)
  return events<JobEvent>({ _tag: "JobRunning", jobId: job.jobId, status: "inProgress", note: {} })
}

/** The agent shows signs of life: a change of status where it differs, else a note. A job being stopped stays so. */
export const seenRunning = (
  job: ActiveJob,
  status: RunningStatus,
  note: Note,
  probeAfter?: number | null,
): JobEvent => {
  const rest = { jobId: job.jobId, note, ...(probeAfter === undefined ? {} : { probeAfter }) }
  return statusOf(job) === status ? { _tag: "JobNoted", ...rest } : { _tag: "JobRunning", status, ...rest }
}

/**
 * The agent says it is over. What it says stands, except that a job it gave up *because we asked* ends the way we asked:
 * timed out is `failure` with reason `deadline`, superseded is `cancelled` with reason `superseded`. A person's word
 * (`fenced` false) is kept as it is.
 */
export const endedByWord = (job: ActiveJob, status: TerminalJobStatus, note: Note, fenced: boolean): JobEvent => {
  const asIs: JobEvent = { _tag: "JobEnded", jobId: job.jobId, status, note, ran: job.phase !== "Queued" }
  if (!fenced || (job.phase !== "Stopping" && job.phase !== "Lost")) return asIs
  if (status !== "cancelled" && status !== "failure") return asIs
  if (job.cause.kind === "deadline") return { ...asIs, ...endOf(job.cause), note: withWords(note, job.cause) }
  return status === "cancelled" ? { ...asIs, ...endOf(job.cause), note: withWords(note, job.cause) } : asIs
}

/** How a job ends that was stopped for this cause and is known not to run. */
export const endOf = (cause: Cause): { readonly status: TerminalJobStatus; readonly reason: string } =>
  cause.kind === "deadline" ? { status: "failure", reason: "deadline" } : { status: "cancelled", reason: cause.kind }

export const withWords = (note: Note, cause: Cause): Note => ({ ...note, message: note.message ?? cause.words })

const noteOf = (report: AgentReported): Note => ({
  ...(report.message === undefined ? {} : { message: report.message }),
  ...(report.externalId === undefined ? {} : { externalId: report.externalId }),
  ...(report.links === undefined ? {} : { links: report.links }),
  ...(report.outputs === undefined ? {} : { outputs: report.outputs }),
  ...(report.progress === undefined ? {} : { progress: report.progress }),
})
