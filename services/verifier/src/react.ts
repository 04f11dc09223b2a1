/** What follows from an event: probe work, timers, rows, the public event, and the conclusion for the target. */
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
import type { ProbeMetric } from "@sluice/protocol/activities"
import type { VerificationConcluded } from "@sluice/protocol/target"
import type { MeasurementRow, VerificationRow } from "@sluice/store/verification-projections"
import type { VerificationEvent } from "./events.ts"
import { askAgainAfter, metricDeadline } from "./probe-time.ts"
import type { Running, VerificationState } from "./state.ts"
import { deadlineTimer, probeTimer } from "./timer-names.ts"

type Of<T extends VerificationEvent["_tag"]> = Extract<VerificationEvent, { readonly _tag: T }>

/** `state` is the state after the event. */
export const react = (
  state: VerificationState,
  event: VerificationEvent,
  moment: Moment,
): ReadonlyArray<ActorEffect> => {
  switch (event._tag) {
    case "Started":
      return started(event, moment)
    case "ProbeAsked":
      return probeAsked(expectRunning(state), event, moment)
    case "Measured":
      return measured(expectRunning(state), event, moment)
    case "MetricExpired":
      // Only ever followed by the conclusion, which clears up.
      return []
    case "Concluded":
      return concluded(event, moment)
    case "Abandoned":
      return [
        ...clearTimers(event.metricCount),
        ended(moment, "failed", `abandoned: ${event.reason}`),
        publishConcluded(moment, event.targetKey, "abandoned", event.reason),
      ]
  }
}

const started = (event: Of<"Started">, moment: Moment): ReadonlyArray<ActorEffect> => {
  const row: VerificationRow = {
    _tag: "Started",
    id: moment.key,
    workspaceId: moment.workspaceId,
    targetKey: event.targetKey,
    jobSetId: event.jobSetId,
    jobIds: event.jobIds,
    releaseId: event.releaseId,
    metrics: event.metrics,
    createdAt: moment.now,
  }
  return [
    project("verification", row),
    ...event.metrics.map((spec, metric) => setTimer(deadlineTimer(metric), moment.now + metricDeadline(spec))),
    ...event.progress.flatMap((progress, metric) =>
      progress._tag === "Waiting" ? [setTimer(probeTimer(metric), progress.dueAt)] : [],
    ),
  ]
}

const probeAsked = (state: Running, event: Of<"ProbeAsked">, moment: Moment): ReadonlyArray<ActorEffect> => {
  const { metric, round } = event
  const spec = specOf(state, metric)
  const payload: ProbeMetric = { verificationId: moment.key, metric, round, spec, context: state.context }
  return [
    activity("probe-metric", `${moment.key}-${metric}-${round}`, payload),
    setTimer(probeTimer(metric), moment.now + askAgainAfter(spec)),
  ]
}

const measured = (state: Running, event: Of<"Measured">, moment: Moment): ReadonlyArray<ActorEffect> => {
  const { metric, round, measurement, progress } = event
  const row: MeasurementRow = {
    verificationId: moment.key,
    workspaceId: moment.workspaceId,
    metric,
    round,
    ...measurement,
  }
  return [
    project("measurement", row),
    ...(progress._tag === "Waiting"
      ? [setTimer(probeTimer(metric), progress.dueAt)]
      : [cancelTimer(probeTimer(metric)), cancelTimer(deadlineTimer(metric))]),
    publish({
      type: "verification.measured",
      version: 1,
      subject: moment.key,
      actor: "system",
      data: {
        targetKey: state.targetKey,
        metric: specOf(state, metric).name,
        round,
        status: measurement.status,
        measuredAt: measurement.measuredAt,
        ...(measurement.message === undefined ? {} : { message: measurement.message }),
      },
    }),
  ]
}

const concluded = (event: Of<"Concluded">, moment: Moment): ReadonlyArray<ActorEffect> => {
  const { status, message, targetKey } = event
  const body: VerificationConcluded = {
    verificationId: moment.key,
    status,
    message,
    // The batch's time has a fraction; messages count whole milliseconds.
    at: Math.trunc(moment.now),
    ...(event.firstFailedAt === undefined ? {} : { firstFailedAt: event.firstFailedAt }),
  }
  return [
    ...clearTimers(event.metricCount),
    send({ kind: "target", workspaceId: moment.workspaceId, key: targetKey, type: "VerificationConcluded", body }),
    ended(moment, status, message),
    publishConcluded(moment, targetKey, status, message),
  ]
}

const clearTimers = (metrics: number): ReadonlyArray<ActorEffect> =>
  Array.from({ length: metrics }, (_, metric) => [
    cancelTimer(probeTimer(metric)),
    cancelTimer(deadlineTimer(metric)),
  ]).flat()

const ended = (moment: Moment, status: "passed" | "failed", message: string): ActorEffect => {
  const row: VerificationRow = { _tag: "Ended", id: moment.key, status, message, endedAt: moment.now }
  return project("verification", row)
}

const publishConcluded = (moment: Moment, targetKey: string, status: string, message: string): ActorEffect =>
  publish({
    type: "verification.concluded",
    version: 1,
    subject: moment.key,
    actor: "system",
    data: { targetKey, status, message },
  })

const specOf = (state: Running, metric: number) => {
  const spec = state.metrics[metric]
  if (spec === undefined) throw new Error(`the verification has no metric ${metric}`)
  return spec
}

const expectRunning = (state: VerificationState): Running => {
  if (state._tag !== "Running") throw new Error("the verification is not running")
  return state
}
