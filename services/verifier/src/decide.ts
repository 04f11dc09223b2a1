/**
 * What a verification does about a message or a timer: pass, fail or continue. Pure. The fence is (metric, round): only
 * the answer to the probe that is out counts, once; whatever comes late or again is refused and changes nothing.
 */
import { type Decision, events, type Input, type Moment, refused } from "@sluice/actor/definition"
import type { MetricSpec } from "@sluice/domain/verification"
import type { MessageOf } from "@sluice/protocol/catalogue"
import type { ProbeMeasured, StartVerification } from "@sluice/protocol/verification"
import { count, judge, noCounts } from "./counting.ts"
import type { Measurement, VerificationEvent } from "./events.ts"
import { evolve, progressOf } from "./evolve.ts"
import { metricDeadline, sleepBefore } from "./probe-time.ts"
import type { MetricProgress, Running, VerificationState } from "./state.ts"
import { readTimerName } from "./timer-names.ts"

export type VerificationMessage = MessageOf<"verification">
type Decided = Decision<VerificationEvent>

export const decide = (
  state: VerificationState | undefined,
  input: Input<VerificationMessage>,
  _facts: unknown,
  moment: Moment,
): Decided => {
  if (state === undefined) {
    return input._tag === "Message" && input.message.type === "StartVerification"
      ? start(input.message.body, moment)
      : refused("there is no such verification")
  }
  if (state._tag === "Concluded") return refused(`the verification is over: ${state.status}`)
  if (input._tag === "Timer") return timerFired(state, input.name, moment)
  switch (input.message.type) {
    case "StartVerification":
      return refused("the verification has started already")
    case "ProbeMeasured":
      return measured(state, input.message.body, moment)
    case "AbandonVerification":
      return events({
        _tag: "Abandoned",
        reason: input.message.body.reason,
        targetKey: state.targetKey,
        metricCount: state.metrics.length,
      })
  }
}

const start = (body: StartVerification, moment: Moment): Decided => {
  const { targetKey, jobSetId, jobIds, releaseId, context } = body
  const metrics = firstOfEachName(body.metrics)
  const progress = metrics.map(
    (spec): MetricProgress => ({
      _tag: "Waiting",
      round: 1,
      dueAt: moment.now + sleepBefore(spec),
      counts: noCounts,
    }),
  )
  const started: VerificationEvent = {
    _tag: "Started",
    targetKey,
    jobSetId,
    jobIds,
    releaseId,
    metrics,
    context,
    progress,
  }
  if (metrics.length === 0) return concludedAfter(undefined, [started], moment)
  const asked = progress.flatMap(
    (one, metric): ReadonlyArray<VerificationEvent> =>
      one._tag === "Waiting" && one.dueAt <= moment.now ? [{ _tag: "ProbeAsked", metric, round: 1 }] : [],
  )
  return events<VerificationEvent>(started, ...asked)
}

const measured = (state: Running, body: ProbeMeasured, moment: Moment): Decided => {
  const spec = state.metrics[body.metric]
  const before = state.progress[body.metric]
  if (spec === undefined || before === undefined) return refused(`the verification has no metric ${body.metric}`)
  if (before._tag !== "Asked" || before.round !== body.round) {
    return refused(`round ${body.round} of metric "${spec.name}" is not the one that is out`)
  }
  const measurement: Measurement = {
    status: body.status,
    // The prober's clock is not ours; an hour's skew must not put the next probe an hour away.
    measuredAt: Math.trunc(Math.max(before.askedAt, Math.min(body.measuredAt, moment.now))),
    ...(body.message === undefined ? {} : { message: body.message }),
    ...(body.data === undefined ? {} : { data: body.data }),
  }
  const progress = progressAfter(spec, before, measurement)
  return concludedAfter(
    state,
    [{ _tag: "Measured", metric: body.metric, round: body.round, measurement, progress }],
    moment,
  )
}

const progressAfter = (
  spec: MetricSpec,
  before: Extract<MetricProgress, { _tag: "Asked" }>,
  measurement: Measurement,
): MetricProgress => {
  const counts = count(before.counts, measurement.status)
  const verdict = judge(spec, counts)
  switch (verdict._tag) {
    case "Passed":
      return { _tag: "Passed", counts }
    case "Failed": {
      const last = measurement.message === undefined ? "" : ` (last: ${measurement.message})`
      return { _tag: "Failed", counts, message: verdict.message + last }
    }
    case "Continue": {
      const dueAt = measurement.measuredAt + spec.intervalSeconds * 1_000 + sleepBefore(spec)
      return { _tag: "Waiting", round: before.round + 1, dueAt, counts }
    }
  }
}

const timerFired = (state: Running, name: string, moment: Moment): Decided => {
  const timer = readTimerName(name)
  const spec = timer && state.metrics[timer.metric]
  if (timer === undefined || spec === undefined) return refused(`no timer is called "${name}"`)
  const progress = progressOf(state, timer.metric)
  if (progress._tag === "Passed" || progress._tag === "Failed") return refused(`metric "${spec.name}" is decided`)
  // Waiting: it is time. Asked: the answer is overdue, and whichever answer comes first counts.
  if (timer.kind === "probe") return events({ _tag: "ProbeAsked", metric: timer.metric, round: progress.round })
  const message = `no verdict within ${Math.round(metricDeadline(spec) / 1_000)} s`
  const failed: MetricProgress = { _tag: "Failed", counts: progress.counts, message }
  return concludedAfter(state, [{ _tag: "MetricExpired", metric: timer.metric, progress: failed }], moment)
}

/** Adds the conclusion when the events leave a metric failed, or every metric passed. */
const concludedAfter = (
  before: VerificationState | undefined,
  list: ReadonlyArray<VerificationEvent>,
  moment: Moment,
): Decided => {
  const state = list.reduce<VerificationState | undefined>((folded, event) => evolve(folded, event, moment), before)
  if (state?._tag !== "Running") return events(...list)
  const failed = state.progress.findIndex(progress => progress._tag === "Failed")
  const allPassed = state.progress.every(progress => progress._tag === "Passed")
  if (failed < 0 && !allPassed) return events(...list)
  const progress = state.progress[failed]
  return events<VerificationEvent>(...list, {
    _tag: "Concluded",
    status: failed < 0 ? "passed" : "failed",
    message:
      progress?._tag === "Failed"
        ? `metric "${state.metrics[failed]?.name}": ${progress.message}`
        : passedMessage(state.metrics.length),
    ...(state.firstFailedAt === undefined ? {} : { firstFailedAt: state.firstFailedAt }),
    targetKey: state.targetKey,
    metricCount: state.metrics.length,
  })
}

const passedMessage = (metrics: number): string => {
  if (metrics === 0) return "nothing to measure"
  return metrics === 1 ? "the metric passed" : `all ${metrics} metrics passed`
}

/** Two policies may ask for a metric of one name; the first, from the policy of higher priority, counts (V-VE-8). */
const firstOfEachName = (metrics: ReadonlyArray<MetricSpec>): ReadonlyArray<MetricSpec> =>
  metrics.filter((metric, index) => metrics.findIndex(other => other.name === metric.name) === index)
