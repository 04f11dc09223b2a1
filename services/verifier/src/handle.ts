/**
 * The `probe-metric` activity: one probe of one metric, whose measurement goes to the verification that asked. It never
 * waits for anything but its one request: intervals and sleeps are the actor's timers. Asking twice probes twice, and
 * the fence (metric, round) lets one answer count.
 */
import { defineActivity, type WorkItem } from "@sluice/activity/definition"
import type { HttpProvider, MetricSpec } from "@sluice/domain/verification"
import { ProbeMetric } from "@sluice/protocol/activities"
import type { Outgoing } from "@sluice/protocol/envelope"
import type { ProbeMeasured } from "@sluice/protocol/verification"
import { Clock, Effect, Schedule } from "effect"
import { type Conditions, classify } from "./classify.ts"
import type { Measurement } from "./events.ts"
import { type HttpResult, probeHttp } from "./http-probe.ts"
import { boundedMessage, dataOf } from "./measurement-data.ts"
import { probeTimeout, probeTimeoutMax } from "./probe-time.ts"
import { renderConditions, renderRequest } from "./render-metric.ts"

type Measured = Omit<Measurement, "measuredAt">

/** Rendering, judging and the door beside the request itself. */
const overhead = 10_000

export const probeMetric = defineActivity({
  name: "probe-metric",
  payload: ProbeMetric,
  concurrency: 32, // A probe mostly waits for the network; an answer may be 1 MiB.
  timeLimit: probeTimeoutMax + overhead,
  run: work =>
    Effect.gen(function* () {
      const measuredAt = yield* Clock.currentTimeMillis
      const measured = yield* measure(work.payload)
      return { _tag: "Done" as const, result: { ...measured, measuredAt } satisfies Measurement }
    }),
  outcomes: {
    Done: report,
    // Nothing here goes on by itself, and nothing is refused for good: every answer, "no answer" included, is a measurement.
    StillRunning: () => [],
    Permanent: () => [],
    // Only a run that overstays its limit. The asking actor counts provider errors and has a deadline of its own.
    Transient: {
      schedule: Schedule.exponential("1 second").pipe(Schedule.upTo({ times: 2 })),
      // No clock here: the actor never takes a measurement for older than its question.
      exhausted: (work, reason) => report(work, { status: "error", message: boundedMessage(reason), measuredAt: 0 }),
    },
  },
})

function report(work: WorkItem<ProbeMetric>, measurement: Measurement): ReadonlyArray<Outgoing> {
  const { verificationId, metric, round } = work.payload
  const body: ProbeMeasured = { metric, round, ...measurement }
  return [{ kind: "verification", workspaceId: work.workspaceId, key: verificationId, type: "ProbeMeasured", body }]
}

const measure = ({ spec, context }: ProbeMetric): Effect.Effect<Measured> => {
  const conditions = renderConditions(spec, context)
  if (!conditions.ok) return Effect.succeed(providerError(conditions.message))
  switch (spec.provider.type) {
    case "http":
      return measureHttp(spec, spec.provider, conditions.value, context)
    case "sleep":
      return Effect.succeed({ ...classify(conditions.value, { ok: true }), data: { ok: true } })
    default:
      return Effect.succeed(providerError(`provider ${spec.provider.type}: not supported by this release`))
  }
}

const measureHttp = (
  spec: MetricSpec,
  provider: HttpProvider,
  conditions: Conditions,
  context: ProbeMetric["context"],
): Effect.Effect<Measured> => {
  const request = renderRequest(provider, context)
  if (!request.ok) return Effect.succeed(providerError(request.message))
  const timeout = probeTimeout(spec)
  if (timeout === undefined) return Effect.succeed(providerError(`timeout: "${provider.timeout}" is no duration`))
  return probeHttp(request.value, timeout).pipe(
    Effect.map(result => judged(conditions, result)),
    Effect.catch(error => Effect.succeed(providerError(error.message))),
  )
}

const judged = (conditions: Conditions, result: HttpResult): Measured => {
  const seen = { ...result, statusCode: BigInt(result.statusCode), duration: BigInt(Math.round(result.duration)) }
  const { status, message } = classify(conditions, seen)
  return { status, data: dataOf(result), ...(message === undefined ? {} : { message: boundedMessage(message) }) }
}

const providerError = (message: string): Measured => ({ status: "error", message: boundedMessage(message) })
