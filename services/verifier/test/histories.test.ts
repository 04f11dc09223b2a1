import type { MeasurementStatus, MetricSpec } from "@sluice/domain/verification"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Drive, metric } from "./drive.ts"

const spec: fc.Arbitrary<Partial<MetricSpec>> = fc.record(
  {
    count: fc.integer({ min: 1, max: 6 }),
    intervalSeconds: fc.integer({ min: 1, max: 600 }),
    failureThreshold: fc.integer({ min: 0, max: 4 }),
    successThreshold: fc.integer({ min: 1, max: 5 }),
    maxErrors: fc.integer({ min: 1, max: 4 }),
    failureThresholdCounts: fc.constantFrom("total", "consecutive"),
    inconclusiveIs: fc.constantFrom("failed", "passed"),
    provider: fc.constantFrom(
      { type: "http", url: "http://127.0.0.1/" } as const,
      { type: "sleep", durationSeconds: 40 } as const,
    ),
  },
  { requiredKeys: ["count", "intervalSeconds"] },
)
const metrics = fc.array(spec, { minLength: 1, maxLength: 3 }).map(list =>
  // A name each: two of one name would be one metric.
  list.map((more, index) => metric({ ...more, name: `m${index}` })),
)

const status = fc.constantFrom<MeasurementStatus>("passed", "failed", "inconclusive", "error")
const step = fc.oneof(
  fc.record({ do: fc.constant("answer" as const), metric: fc.nat(2), status, lag: fc.nat(90_000) }),
  fc.record({ do: fc.constant("stale" as const), metric: fc.nat(2), status, round: fc.integer({ min: -1, max: 9 }) }),
  fc.record({ do: fc.constant("timer" as const) }),
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

const take = (drive: Drive, one: Step): void => {
  if (one.do === "timer") drive.fireNext()
  else if (one.do === "answer") drive.answer(one.status, { metric: one.metric, measuredAt: drive.now - one.lag })
  else drive.answer(one.status, { metric: one.metric, round: one.round })
}

const history = fc.tuple(metrics, fc.array(step, { maxLength: 60 }))
const run = (specs: ReadonlyArray<MetricSpec>, steps: ReadonlyArray<Step>): Drive => {
  const drive = new Drive()
  drive.start(...specs)
  for (const one of steps) take(drive, one)
  return drive
}

describe("whatever answers and timers come in whatever order", () => {
  it("one (metric, round) is counted at most once, and rounds only go up", () => {
    fc.assert(
      fc.property(history, ([specs, steps]) => {
        const drive = run(specs, steps)
        for (const [index] of specs.entries()) {
          const rounds = drive.events.flatMap(event =>
            event._tag === "Measured" && event.metric === index ? [event.round] : [],
          )
          expect(rounds).toEqual(rounds.map((_, position) => position + 1))
        }
      }),
    )
  })

  it("while it runs, every undecided metric has a deadline and a next step; when it is over, no timer is left", () => {
    fc.assert(
      fc.property(history, ([specs, steps]) => {
        const { state, timers } = run(specs, steps)
        if (state?._tag === "Concluded") expect([...timers.keys()]).toEqual([])
        if (state?._tag !== "Running") return
        for (const [index, progress] of state.progress.entries()) {
          const decided = progress._tag === "Passed" || progress._tag === "Failed"
          expect([timers.has(`probe-${index}`), timers.has(`deadline-${index}`)]).toEqual([!decided, !decided])
        }
      }),
    )
  })

  it("it ends, even if no answer ever comes, and the target hears of it exactly once", () => {
    fc.assert(
      fc.property(history, ([specs, steps]) => {
        const drive = run(specs, steps)
        for (let fired = 0; drive.status() === "running" && fired < 10_000; fired++) drive.fireNext()
        expect(drive.conclusions).toHaveLength(1)
        expect(drive.conclusions[0]?.status).toBe(drive.status())
        const end = structuredClone(drive.state)
        for (const one of steps) take(drive, one)
        expect(drive.state).toEqual(end)
        expect(drive.conclusions).toHaveLength(1)
      }),
    )
  })

  it("it passed only if every metric had a pass, or said that inconclusive passes, or tolerated its failures", () => {
    fc.assert(
      fc.property(history, ([specs, steps]) => {
        const drive = run(specs, steps)
        if (drive.status() !== "passed") return
        for (const [index, one] of specs.entries()) {
          const seen = drive.events.flatMap(event =>
            event._tag === "Measured" && event.metric === index ? [event.measurement.status] : [],
          )
          const failures = seen.filter(each => each === "failed").length
          if (one.failureThresholdCounts !== "consecutive")
            expect(failures).toBeLessThanOrEqual(one.failureThreshold ?? 0)
          const inconclusive = seen.filter(each => each === "inconclusive").length
          if (!seen.includes("passed") && inconclusive > 0) expect(one.inconclusiveIs).toBe("passed")
        }
      }),
    )
  })
})
