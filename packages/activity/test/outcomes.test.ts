// A type test: the compiler checks this file, and an `@ts-expect-error` above code that compiles is itself an error.
import { type ActivityKind, defineActivity, type Report } from "@sluice/activity/definition"
import { Effect, Schedule } from "effect"
import { describe, expect, expectTypeOf, it } from "vitest"
import { Payload } from "./probe.ts"

const silent: Report<Payload, unknown> = () => []
const Transient = { schedule: Schedule.recurs(3), exhausted: silent }
const rest = {
  name: "probe-metric",
  payload: Payload,
  concurrency: 1,
  timeLimit: 1_000,
  run: () => Effect.succeed({ _tag: "Done", result: 3 } as const),
} as const

describe("an activity", () => {
  it("compiles when it says what each of the four outcomes means", () => {
    const whole = defineActivity({
      ...rest,
      outcomes: { Done: silent, StillRunning: silent, Transient, Permanent: silent },
    })
    expect(Object.keys(whole.outcomes)).toEqual(["Done", "StillRunning", "Transient", "Permanent"])
  })

  it("does not compile when it forgets one of them", () => {
    // @ts-expect-error Done is forgotten
    defineActivity({ ...rest, outcomes: { StillRunning: silent, Transient, Permanent: silent } })
    // @ts-expect-error StillRunning is forgotten
    defineActivity({ ...rest, outcomes: { Done: silent, Transient, Permanent: silent } })
    // @ts-expect-error Transient is forgotten
    defineActivity({ ...rest, outcomes: { Done: silent, StillRunning: silent, Permanent: silent } })
    // @ts-expect-error Permanent is forgotten
    defineActivity({ ...rest, outcomes: { Done: silent, StillRunning: silent, Transient } })
    const outcomes = {
      Done: silent,
      StillRunning: silent,
      Permanent: silent,
      Transient: { schedule: Schedule.recurs(3) },
    }
    // @ts-expect-error what happens when the schedule is used up is forgotten
    defineActivity({ ...rest, outcomes })
    expectTypeOf<keyof ActivityKind<Payload, 1, 1, 1, never>["outcomes"]>().toEqualTypeOf<
      "Done" | "StillRunning" | "Transient" | "Permanent"
    >()
  })
})
