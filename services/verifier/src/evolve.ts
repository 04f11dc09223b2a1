/** Event by event from nothing to the tombstone. Events carry their results, so this only puts them in place. */
import type { Moment } from "@sluice/actor/definition"
import type { VerificationEvent } from "./events.ts"
import type { MetricProgress, Running, VerificationState } from "./state.ts"

export const evolve = (
  state: VerificationState | undefined,
  event: VerificationEvent,
  moment: Omit<Moment, "id">,
): VerificationState => {
  switch (event._tag) {
    case "Started": {
      const { targetKey, jobSetId, metrics, context, progress } = event
      return { _tag: "Running", targetKey, jobSetId, metrics, context, progress }
    }
    case "ProbeAsked": {
      const running = expectRunning(state, event)
      const counts = progressOf(running, event.metric).counts
      return withProgress(running, event.metric, { _tag: "Asked", round: event.round, askedAt: moment.now, counts })
    }
    case "Measured": {
      const running = withProgress(expectRunning(state, event), event.metric, event.progress)
      if (event.measurement.status !== "failed") return running
      const at = event.measurement.measuredAt
      return { ...running, firstFailedAt: Math.min(running.firstFailedAt ?? at, at) }
    }
    case "MetricExpired":
      return withProgress(expectRunning(state, event), event.metric, event.progress)
    case "Concluded":
      return { _tag: "Concluded", status: event.status, at: moment.now }
    case "Abandoned":
      return { _tag: "Concluded", status: "abandoned", at: moment.now }
  }
}

export const progressOf = (state: Running, metric: number): MetricProgress => {
  const progress = state.progress[metric]
  if (progress === undefined) throw new Error(`the verification has no metric ${metric}`)
  return progress
}

const withProgress = (state: Running, metric: number, progress: MetricProgress): Running => ({
  ...state,
  progress: state.progress.with(metric, progress),
})

const expectRunning = (state: VerificationState | undefined, event: VerificationEvent): Running => {
  if (state?._tag !== "Running") throw new Error(`${event._tag} happened to a verification that is not running`)
  return state
}
