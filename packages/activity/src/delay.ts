/**
 * How long until the next delivery. The queue counts deliveries, not this process, so the schedule is stepped from its
 * beginning each time, on a clock of its own that moves by the delays alone: pure but for a schedule's own jitter.
 */
import { Duration, Effect, Pull, Schedule } from "effect"

const stepsMax = 1_000 // a schedule that is still going on by then goes on for ever, at the same pace

/**
 * Milliseconds after the `delivery`-th delivery (1 = the first) failed; undefined when the schedule is used up. `input` is
 * what the schedule may look at: the reason.
 */
export const delayAfter = (
  schedule: Schedule.Schedule<unknown>,
  delivery: number,
  input: unknown,
): Effect.Effect<number | undefined> =>
  Effect.gen(function* () {
    const step = yield* Schedule.toStep(schedule)
    let now = 0
    let delay = 0
    for (let taken = 0; taken < Math.min(delivery, stepsMax); taken += 1) {
      const next = yield* Pull.matchEffect(step(now, input), {
        onSuccess: ([, duration]) => Effect.succeed(Duration.toMillis(duration)),
        onFailure: cause => Effect.failCause(cause),
        onDone: () => Effect.undefined,
      })
      if (next === undefined) return undefined
      delay = next
      now += next
    }
    return delay
  })
