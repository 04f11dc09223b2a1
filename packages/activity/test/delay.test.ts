import { describe, expect, it } from "@effect/vitest"
import { delayAfter } from "@sluice/activity/delay"
import { Effect, Schedule } from "effect"

const delays = (schedule: Schedule.Schedule<unknown>, count: number) =>
  Effect.forEach(
    Array.from({ length: count }, (_, index) => index + 1),
    delivery => delayAfter(schedule, delivery, "a reason"),
  )

describe("the delay after a delivery", () => {
  it.effect("follows the schedule from its beginning, whichever process asks", () =>
    Effect.gen(function* () {
      const capped = Schedule.min([Schedule.exponential("1 second"), Schedule.spaced("5 seconds")])
      expect(yield* delays(capped, 5)).toEqual([1_000, 2_000, 4_000, 5_000, 5_000])
      expect(yield* delayAfter(capped, 100_000, "a reason")).toBe(5_000)
    }),
  )

  it.effect("is none once the schedule is used up, by count or by the time its delays add up to", () =>
    Effect.gen(function* () {
      const thrice = Schedule.max([Schedule.spaced("1 second"), Schedule.recurs(3)])
      expect(yield* delays(thrice, 5)).toEqual([1_000, 1_000, 1_000, undefined, undefined])
      const forAMinute = Schedule.spaced("20 seconds").pipe(Schedule.upTo({ duration: "1 minute" }))
      const until = yield* delays(forAMinute, 6)
      expect(until.slice(0, 3)).toEqual([20_000, 20_000, 20_000])
      expect(until.at(-1)).toBeUndefined()
    }),
  )
})
