// The activity runtime on a real queue: outcomes become verdicts that the broker acts on, and nothing accepted is lost.
import { describe, expect, it } from "@effect/vitest"
import { runActivities } from "@sluice/activity/runtime"
import { Bus } from "@sluice/actor/ports"
import { subjects } from "@sluice/protocol/subjects"
import { Context, Effect, Layer, Schedule } from "effect"
import { topology } from "../../../nats/topology.ts"
import { bytes, client, collector, storedIn, testNats } from "../../bus/test/nats.ts"
import { type ProbeOutcome, probe, stubDoor, workText } from "./probe.ts"

class Site extends Context.Service<Site, { readonly answer: (delivery: number) => ProbeOutcome }>()("test/Site") {}

const publishWork = (bus: Bus["Service"], key: string) =>
  bus
    .publish([
      {
        subject: subjects("t").activity("probe-metric", "ws", key),
        data: bytes(workText({ url: "http://site" }, { id: key, key })),
        messageId: key,
      },
    ])
    .pipe(
      Effect.repeat({ until: ([stored]) => stored === true, schedule: Schedule.spaced("50 millis") }),
      Effect.timeout("20 seconds"),
    )

/** One start of a runtime on its own connection, whose probes answer as the site does. */
const start = (url: string, door: ReturnType<typeof stubDoor>, answer: (delivery: number) => ProbeOutcome) =>
  Effect.gen(function* () {
    const { bus, admin } = yield* client(url)
    yield* admin.apply(topology({ namespace: "t" }))
    const kind = {
      ...probe(() => Effect.die("replaced")),
      run: ({ delivery }: { readonly delivery: number }) => Effect.map(Site, site => site.answer(delivery)),
    }
    const services = Layer.mergeAll(Layer.succeed(Bus, bus), door.layer, Layer.succeed(Site, Site.of({ answer })))
    yield* Effect.provide(runActivities([kind]), services)
    return bus
  })

describe("an activity on a real queue", () => {
  it.live("is delivered again after a transient outcome, and its result leaves the queue empty", () =>
    Effect.gen(function* () {
      const nats = yield* testNats()
      const done = collector<string>()
      const door = stubDoor([], () => done.add("committed"))
      const bus = yield* start(nats.url, door, delivery =>
        delivery === 1 ? { _tag: "Transient", reason: "503", retryAfter: 100 } : { _tag: "Done", result: delivery },
      )
      yield* publishWork(bus, "k1")
      yield* done.until("the commit", list => list.length > 0)
      expect(door.committed).toMatchObject([{ type: "Measured", body: 2, causationId: "k1" }])
      yield* storedIn(nats.url, "t_activity").pipe(
        Effect.repeat({ until: count => count === 0, schedule: Schedule.spaced("50 millis") }),
        Effect.timeout("10 seconds"),
      )
    }),
  )

  it.live("that was in hands when its process stopped is done by the next one", () =>
    Effect.gen(function* () {
      const nats = yield* testNats()
      const door = stubDoor()
      const done = collector<string>()
      const second = stubDoor([], () => done.add("committed"))
      const begun = collector<string>()
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { bus, admin } = yield* client(nats.url)
          yield* admin.apply(topology({ namespace: "t" }))
          const stuck = probe(() =>
            Effect.andThen(
              Effect.sync(() => begun.add("begun")),
              Effect.never,
            ),
          )
          const services = Layer.mergeAll(Layer.succeed(Bus, bus), door.layer)
          yield* Effect.provide(runActivities([stuck]), services)
          yield* publishWork(bus, "k1")
          yield* begun.until("the run to begin", list => list.length > 0)
        }),
      )
      yield* start(nats.url, second, delivery => ({ _tag: "Done", result: delivery }))
      yield* done.until("the commit", list => list.length > 0)
      expect(door.committed).toEqual([])
      expect(second.committed).toMatchObject([{ type: "Measured", body: 2 }])
    }),
  )

  it.live("goes on after the broker was killed, work that was stored included", () =>
    Effect.gen(function* () {
      const nats = yield* testNats()
      const done = collector<string>()
      const door = stubDoor([], () => done.add("committed"))
      const bus = yield* start(nats.url, door, () => ({ _tag: "Done", result: 1 }))
      const keys = Array.from({ length: 50 }, (_, index) => `k${index}`)
      yield* Effect.forEach(keys.slice(0, 40), key => publishWork(bus, key), { concurrency: "unbounded" })
      yield* nats.kill
      yield* nats.start
      yield* Effect.forEach(keys.slice(40), key => publishWork(bus, key), { concurrency: "unbounded" })
      yield* done.until(
        "every result",
        () => new Set(door.committed.map(each => each.causationId)).size === keys.length,
      )
      expect(new Set(door.committed.map(each => each.causationId))).toEqual(new Set(keys))
    }),
  )
})
