/**
 * What is to be done after an event: rows, timers, calls to agents, words to the target, public events. Effects are data;
 * the runtime carries them out in the same commit as the state.
 */
import {
  type ActorEffect,
  activity,
  cancelTimer,
  type Moment,
  project,
  publish,
  send,
  setTimer,
} from "@sluice/actor/definition"
import type { Json, JsonObject } from "@sluice/domain/json"
import type { CallAgent } from "@sluice/protocol/activities"
import type { EventType } from "@sluice/protocol/event"
import type { JobChange, JobCreation, JobSetRow } from "@sluice/store/job-projections"
import type { CreatedJob, JobEvent, JobSetEvent, Note } from "./events.ts"
import { timerNames, timerOf } from "./job-timers.ts"
import {
  answerPatience,
  dispatchValidFor,
  handOverPatience,
  lostPatience,
  lostProbeEvery,
  stoppingProbeEvery,
} from "./limits.ts"
import { findJob, type Job, type JobSet, statusOf } from "./state.ts"

export const react = (state: JobSet, event: JobSetEvent, moment: Moment): ReadonlyArray<ActorEffect> => {
  switch (event._tag) {
    case "JobsStarted":
      return [setRow(event, moment), ...event.jobs.flatMap(created => started(created, event, moment))]
    case "SetSettled":
      return settled(state, event, moment)
    default: {
      const job = findJob(state, event.jobId)
      return job === undefined ? [] : jobReaction({ state, job, moment }, event)
    }
  }
}

interface At {
  readonly state: JobSet
  readonly job: Job
  readonly moment: Moment
}

const jobReaction = (at: At, event: JobEvent): ReadonlyArray<ActorEffect> => {
  const { job, moment } = at
  const { now } = moment
  switch (event._tag) {
    case "JobRunning":
      return [
        row(at, { ...noteRow(event.note), startedAt: now }),
        ...probeTimer(at, event.probeAfter),
        ...progress(at, "job.updated", event.note),
      ]
    case "JobNoted":
      return [
        ...(isEmpty(event.note) ? [] : [row(at, noteRow(event.note)), said(at, "job.updated", event.note)]),
        ...probeTimer(at, event.probeAfter),
      ]
    case "JobHandedOverAgain":
      return [
        row(at, { message: event.message }),
        setTimer(timerOf("probe", job.jobId), now + handOverPatience),
        ...call(at, "dispatch"),
        said(at, "job.updated", { message: event.message }),
      ]
    case "JobAsked":
      return [
        ...call(at, event.call),
        ...probeTimer(at, job.phase === "Stopping" ? stoppingProbeEvery : answerPatience),
      ]
    case "JobStopping":
      return [
        row(at, { reason: event.cause.kind, message: event.cause.words }),
        ...(event.ask ? [...call(at, "cancel"), ...probeTimer(at, stoppingProbeEvery)] : []),
        ...(event.cause.kind === "deadline" ? [setTimer(timerOf("patience", job.jobId), now + lostPatience)] : []),
        said(at, "job.updated", { message: event.cause.words }),
      ]
    case "JobOverdue":
      return [setTimer(timerOf("patience", job.jobId), now + lostPatience), ...call(at, "cancel")]
    case "JobLost":
      return lost(at, event)
    case "JobEnded":
      return [
        row(at, {
          ...noteRow(event.note),
          reason: event.reason ?? null,
          completedAt: now,
          ...(event.ran ? { startedAt: now } : {}),
        }),
        ...timerNames.map(name => cancelTimer(timerOf(name, job.jobId))),
        ...progress(at, "job.ended", event.note, event.reason),
      ]
    case "ReportIgnored":
      return [row(at, {})]
  }
}

const started = (created: CreatedJob, set: SetIdentity, moment: Moment): ReadonlyArray<ActorEffect> => {
  const { job } = created
  const ended = job.phase === "Ended"
  const creation: JobCreation = {
    _tag: "Created",
    id: job.jobId,
    jobSetId: moment.key,
    workspaceId: moment.workspaceId,
    targetKey: set.targetKey,
    releaseId: set.releaseId,
    jobAgentId: job.agentId ?? null,
    status: statusOf(job),
    attempt: job.attempt,
    try: set.try,
    deadline: created.deadline,
    message: ended ? (job.message ?? null) : null,
    jobAgentConfig: created.config,
    dispatchContext: created.dispatchContext,
    metadata: created.metadata,
    createdAt: moment.now,
    completedAt: ended ? moment.now : null,
  }
  const data = {
    ...idsOf(set, moment),
    jobId: job.jobId,
    jobAgentId: job.agentId ?? null,
    status: statusOf(job),
    try: set.try,
    purpose: set.purpose,
  }
  const born = [project("job", creation), publish(happened("job.created", job, data))]
  if (ended) return [...born, publish(happened("job.ended", job, { ...data, message: job.message ?? null }))]
  return [
    ...born,
    setTimer(timerOf("deadline", job.jobId), job.deadline),
    ...(job.phase === "HandedOver"
      ? [setTimer(timerOf("probe", job.jobId), moment.now + handOverPatience), ...callFor(job, "dispatch", moment)]
      : []),
  ]
}

const settled = (
  state: JobSet,
  event: Extract<JobSetEvent, { _tag: "SetSettled" }>,
  moment: Moment,
): ReadonlyArray<ActorEffect> => [
  project("jobSet", {
    _tag: "Ended",
    id: moment.key,
    workspaceId: moment.workspaceId,
    outcome: event.outcome,
    endedAt: moment.now,
  } satisfies JobSetRow),
  send({
    kind: "target",
    workspaceId: moment.workspaceId,
    key: state.targetKey,
    type: "JobSettled",
    body: {
      jobSetId: moment.key,
      outcome: event.outcome,
      ...(event.message === undefined ? {} : { message: event.message }),
      jobIds: state.jobs.map(job => job.jobId),
      at: moment.now,
    },
  }),
]

const lost = (at: At, event: Extract<JobEvent, { _tag: "JobLost" }>): ReadonlyArray<ActorEffect> => {
  const { job, state, moment } = at
  const { jobId } = job
  const proceedAfterMs = job.phase === "Lost" ? job.proceedAfterMs : undefined
  return [
    row(at, { reason: "lost", message: event.message }),
    ...call(at, "probe"),
    ...probeTimer(at, lostProbeEvery),
    ...(proceedAfterMs === undefined ? [] : [setTimer(timerOf("proceed", jobId), moment.now + proceedAfterMs)]),
    send({
      kind: "target",
      workspaceId: moment.workspaceId,
      key: state.targetKey,
      type: "JobLost",
      body: { jobSetId: moment.key, jobId, lastSeenAt: event.lastSeenAt, message: event.message },
    }),
    said(at, "job.updated", { message: event.message }, "lost"),
  ]
}

/** Nobody calls a pull agent: it asks by itself. */
const call = (at: At, what: CallAgent["call"]): ReadonlyArray<ActorEffect> => callFor(at.job, what, at.moment)

const callFor = (job: Job, what: CallAgent["call"], moment: Moment): ReadonlyArray<ActorEffect> => {
  if (job.phase === "Ended" || job.delivery === "pull") return []
  const payload: CallAgent = {
    jobSetId: moment.key,
    jobId: job.jobId,
    jobAgentId: job.agentId,
    agentType: job.agentType,
    attempt: job.attempt,
    call: what,
    deadline: what === "dispatch" ? Math.min(job.deadline, moment.now + dispatchValidFor) : job.deadline,
  }
  // A dispatch is one per attempt; a question may be asked again, and must then not count as a repeat of the earlier one.
  const suffix = what === "dispatch" ? "" : `-${moment.now}`
  return [activity("call-agent", `${job.jobId}-${job.attempt}-${what}${suffix}`, payload)]
}

/** Milliseconds from now; null: nothing to ask, undefined: leave it as it is. */
const probeTimer = (at: At, after: number | null | undefined): ReadonlyArray<ActorEffect> => {
  if (after === undefined || at.job.phase === "Ended" || at.job.delivery === "pull") return []
  const name = timerOf("probe", at.job.jobId)
  return [after === null ? cancelTimer(name) : setTimer(name, at.moment.now + after)]
}

const progress = (at: At, type: EventType, note: Note, reason?: string): ReadonlyArray<ActorEffect> => [
  send({
    kind: "target",
    workspaceId: at.moment.workspaceId,
    key: at.state.targetKey,
    type: "JobProgressed",
    body: { jobSetId: at.moment.key, jobId: at.job.jobId, status: statusOf(at.job) },
  }),
  said(at, type, note, reason),
]

const said = ({ state, job, moment }: At, type: EventType, note: Note, reason?: string): ActorEffect =>
  publish(
    happened(type, job, {
      jobSetId: moment.key,
      jobId: job.jobId,
      targetKey: state.targetKey,
      status: statusOf(job),
      attempt: job.attempt,
      ...(reason === undefined ? {} : { reason }),
      ...(note as { readonly [key: string]: Json }),
    }),
  )

const happened = (type: EventType, job: Job, data: JsonObject) => ({
  type,
  version: 1,
  subject: job.jobId,
  actor: job.agentId ?? "system",
  data,
})

type Change = Omit<JobChange, "_tag" | "id" | "workspaceId" | "status" | "attempt" | "ignoredReports" | "updatedAt">

/** What every change of a job's row says, and what this one adds. */
const row = ({ job, moment }: At, change: Change): ActorEffect => {
  const full: JobChange = {
    _tag: "Changed",
    id: job.jobId,
    workspaceId: moment.workspaceId,
    status: statusOf(job),
    attempt: job.attempt,
    ignoredReports: job.ignoredReports,
    updatedAt: moment.now,
    ...change,
  }
  return project("job", full)
}

const noteRow = ({ message, externalId, links, outputs }: Note): Change => ({
  ...(message === undefined ? {} : { message }),
  ...(externalId === undefined ? {} : { externalId }),
  ...(links === undefined ? {} : { links }),
  ...(outputs === undefined ? {} : { outputs }),
})

const isEmpty = (note: Note): boolean => Object.keys(note).length === 0

type SetIdentity = Extract<JobSetEvent, { _tag: "JobsStarted" }>

const idsOf = (set: SetIdentity, moment: Moment) => ({
  jobSetId: moment.key,
  targetKey: set.targetKey,
  releaseId: set.releaseId,
  versionId: set.versionId,
})

const setRow = (set: SetIdentity, moment: Moment): ActorEffect =>
  project("jobSet", {
    _tag: "Started",
    id: moment.key,
    workspaceId: moment.workspaceId,
    targetKey: set.targetKey,
    releaseId: set.releaseId,
    versionId: set.versionId,
    try: set.try,
    purpose: set.purpose,
    createdAt: moment.now,
  } satisfies JobSetRow)
