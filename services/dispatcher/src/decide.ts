/**
 * The life of a job set: one dispatch, one job per matching agent. This file picks the job an input is about and adds what
 * concerns the set as a whole: it settles once, when its last job has ended. What an input means for one job is in the
 * three `job-*.ts` files; `transitions.ts` is the same as a table.
 */
import { type Decision, events, type Input, type Moment, refused } from "@sluice/actor/definition"
import { jobSetOutcome } from "@sluice/domain/job-status"
import type { MessageOf } from "@sluice/protocol/catalogue"
import type { StartJobs } from "@sluice/protocol/job"
import type { JobEvent, JobSetEvent } from "./events.ts"
import { evolve } from "./evolve.ts"
import { decideAnswer } from "./job-answers.ts"
import { decideClaim, decideReport } from "./job-reports.ts"
import { decideCancel, decideTimer, readTimer } from "./job-timers.ts"
import { planJobs, type StartFacts } from "./start.ts"
import { findJob, type Job, type JobSet, statusOf } from "./state.ts"

export type JobMessage = MessageOf<"job">

export const decide = (
  state: JobSet | undefined,
  input: Input<JobMessage>,
  facts: StartFacts | undefined,
  moment: Moment,
): Decision<JobSetEvent> => {
  if (input._tag === "Message" && input.message.type === "StartJobs") {
    return state === undefined ? start(input.message.body, facts, moment) : refused("the job set was started before")
  }
  if (state === undefined) return refused("no such job set")
  if (input._tag === "Timer") {
    const timer = readTimer(input.name)
    if (timer === undefined) return refused(`unknown timer ${input.name}`)
    return settling(
      state,
      moment,
      forJob(state, timer.jobId, job => decideTimer(job, timer.name, moment.now)),
    )
  }
  const { message } = input
  switch (message.type) {
    case "StartJobs":
      return refused("the job set was started before")
    case "CancelJobs": {
      if (state.phase === "Settled") return refused(`the job set has ended as ${state.outcome}`)
      return settling(state, moment, events(...state.jobs.flatMap(job => decideCancel(job, message.body))))
    }
    case "AgentReported":
      return settling(
        state,
        moment,
        forJob(state, message.body.jobId, job => decideReport(job, message.body)),
      )
    case "ClaimJob":
      return settling(
        state,
        moment,
        forJob(state, message.body.jobId, job => decideClaim(job, message.body)),
      )
    case "AgentAnswered":
      return settling(
        state,
        moment,
        forJob(state, message.body.jobId, job => decideAnswer(job, message.body)),
      )
  }
}

const start = (request: StartJobs, facts: StartFacts | undefined, moment: Moment): Decision<JobSetEvent> => {
  const { targetKey, releaseId, versionId, purpose } = request
  const started: JobSetEvent = {
    _tag: "JobsStarted",
    targetKey,
    releaseId,
    versionId,
    purpose,
    try: request.try,
    jobs: planJobs(request, facts, moment),
  }
  return events(started, ...settledBy(evolve(undefined, started, moment)))
}

const forJob = (state: JobSet, jobId: string, decideOne: (job: Job) => Decision<JobEvent>): Decision<JobEvent> => {
  const job = findJob(state, jobId)
  return job === undefined ? refused(`the job set has no job ${jobId}`) : decideOne(job)
}

/** Adds `SetSettled` to the events that end the last active job, and only to those. */
const settling = (state: JobSet, moment: Moment, decision: Decision<JobEvent>): Decision<JobSetEvent> => {
  if (decision._tag === "Refused" || state.phase === "Settled") return decision
  const after = decision.events.reduce<JobSet>((now, event) => evolve(now, event, moment), state)
  return events<JobSetEvent>(...decision.events, ...settledBy(after))
}

const settledBy = (state: JobSet): ReadonlyArray<JobSetEvent> => {
  const outcome = jobSetOutcome(state.jobs.map(statusOf))
  if (outcome === undefined) return []
  const telling = state.jobs.find(job => statusOf(job) === outcome)
  const message = telling?.phase === "Ended" ? telling.message : undefined
  return [{ _tag: "SetSettled", outcome, ...(message === undefined ? {} : { message }) }]
}
