// Taking work back: what the broker can say about whether anybody had been given it.
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { bytes, client, collector, testNats } from "./nats.ts"
import { agentWork as bare } from "./streams.ts"

const subject = "t.agent.job"
const consumer = "worker"
const agentWork = {
  ...bare,
  consumers: [{ name: consumer, filterSubject: "t.agent.>", ackWait: 5_000, ackPendingMax: 8 }],
}
const place = { stream: agentWork.name, subject, consumer }

describe("a message of work on a stream of one message per subject", () => {
  it.live("is untaken when nobody had been given it, the only message of its stream included", () =>
    Effect.gen(function* () {
      const nats = yield* testNats()
      const { admin, bus } = yield* client(nats.url)
      yield* admin.apply([agentWork])
      expect(yield* admin.takeBack(place)).toBe("absent")
      yield* bus.publish([{ subject, data: bytes("work") }])
      expect(yield* admin.holds(place)).toBe(true)
      expect(yield* admin.takeBack(place)).toBe("untaken")
      expect(yield* admin.holds(place)).toBe(false)
    }),
  )

  it.live("is taken once a consumer had been given it, though it was not acknowledged", () =>
    Effect.gen(function* () {
      const nats = yield* testNats()
      const { admin, bus } = yield* client(nats.url)
      yield* admin.apply([agentWork])
      yield* bus.publish([{ subject, data: bytes("work") }])
      const got = collector<string>()
      yield* bus.consume({
        stream: agentWork.name,
        consumer,
        concurrency: 1,
        handle: work =>
          Effect.andThen(
            Effect.sync(() => got.add(work.subject)),
            Effect.never,
          ),
      })
      yield* got.until("the work", list => list.length === 1)
      expect(yield* admin.takeBack(place)).toBe("taken")
    }),
  )

  it.live("is absent when its stream is", () =>
    Effect.gen(function* () {
      const nats = yield* testNats()
      const { admin } = yield* client(nats.url)
      expect(yield* admin.holds(place)).toBe(false)
      expect(yield* admin.takeBack(place)).toBe("absent")
    }),
  )
})
