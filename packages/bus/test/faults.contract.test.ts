// The bus on a broker that is killed, comes back with what it had or with nothing, or hangs.
import { describe, expect, it } from "@effect/vitest"
import type { Delivery, Work } from "@sluice/actor/ports"
import { Effect, Schedule } from "effect"
import { bytes, type Client, client, collector, deleteStreams, storedIn, testNats, text } from "./nats.ts"
import { mailbox, queue } from "./streams.ts"

const subject = "t.target.0.ws.key.Reconcile"

/** Publishes as a sender does: again until it is stored. */
const publishUntilStored = (bus: Client["bus"], content: string, to = subject) =>
  bus
    .publish([{ subject: to, data: bytes(content) }])
    .pipe(
      Effect.repeat({ until: ([stored]) => stored === true, schedule: Schedule.spaced("50 millis") }),
      Effect.timeout("20 seconds"),
    )

describe("a broker that is killed and started again", () => {
  it.live("with its store: a reader goes on from the time it asks for then, and nothing stored is missing", () =>
    Effect.gen(function* () {
      const nats = yield* testNats()
      const { admin, bus } = yield* client(nats.url)
      yield* admin.apply([mailbox])
      const got = collector<Delivery>()
      let from = 0
      yield* bus.read({ stream: mailbox.name, subject: "t.target.0.>", from: () => from, onDelivery: got.add })
      yield* bus.publish(["1", "2", "3"].map(content => ({ subject, data: bytes(content) })))
      const before = yield* got.until("three messages", list => list.length === 3)
      from = before[2]?.storedAt ?? 0
      yield* nats.kill
      yield* nats.start
      yield* publishUntilStored(bus, "4")
      const after = yield* got.until("the fourth", list => list.some(each => text(each.data) === "4"))
      const again = after.slice(3).map(each => text(each.data))
      expect(again).toContain("3")
      expect(again.at(-1)).toBe("4")
    }),
  )

  it.live(
    "with an empty store: the topology is brought back, hooks run, and a reader sees messages that reuse its sequences",
    () =>
      Effect.gen(function* () {
        const nats = yield* testNats()
        const { admin, bus } = yield* client(nats.url)
        yield* admin.apply([mailbox, queue])
        const hooks = collector<string>()
        yield* bus.onReconnect(Effect.sync(() => hooks.add("hook")))
        const got = collector<string>()
        yield* bus.read({
          stream: mailbox.name,
          subject: "t.target.0.>",
          from: () => 0,
          onDelivery: delivery => got.add(text(delivery.data)),
        })
        yield* bus.publish(["old 1", "old 2", "old 3"].map(content => ({ subject, data: bytes(content) })))
        yield* got.until("three messages", list => list.length === 3)
        yield* nats.kill
        yield* nats.empty
        yield* nats.start
        yield* hooks.until("the hook", list => list.length > 0)
        expect(yield* admin.apply([mailbox, queue])).toEqual([])
        yield* publishUntilStored(bus, "new 1")
        expect(yield* got.until("the new message", list => list.includes("new 1"))).toEqual([
          "old 1",
          "old 2",
          "old 3",
          "new 1",
        ])
      }),
  )

  it.live("while it is down: publishing answers false at once and stores nothing later behind one's back", () =>
    Effect.gen(function* () {
      const nats = yield* testNats()
      const { admin, bus } = yield* client(nats.url)
      yield* admin.apply([mailbox])
      const up = collector<string>()
      yield* bus.onReconnect(Effect.sync(() => up.add("up")))
      yield* nats.kill
      // The first may be on its way when the connection drops; its answer does not wait for the timeout either.
      const answers = yield* Effect.timeout(
        bus.publish(["a", "b"].map(content => ({ subject, data: bytes(content) }))),
        "2 seconds",
      )
      expect(answers).toEqual([false, false])
      yield* nats.start
      yield* up.until("the reconnect", list => list.length > 0)
      yield* publishUntilStored(bus, "c")
      const got = collector<string>()
      yield* bus.read({
        stream: mailbox.name,
        subject: "t.target.0.>",
        from: () => 0,
        onDelivery: delivery => got.add(text(delivery.data)),
      })
      expect(yield* got.until("the last", list => list.includes("c"))).toEqual(["c"])
    }),
  )

  it.live("under work: everything that was stored is handled, and the acks empty the queue", () =>
    Effect.gen(function* () {
      const nats = yield* testNats()
      const { admin, bus } = yield* client(nats.url)
      yield* admin.apply([queue])
      const done = collector<string>()
      const handle = (work: Work) =>
        Effect.andThen(
          Effect.sync(() => done.add(text(work.data))),
          work.ack,
        )
      const half = (from: number) =>
        bus.publish(
          Array.from({ length: 100 }, (_, index) => ({
            subject: `t.activity.probe.ws.${from + index}`,
            data: bytes(String(from + index)),
          })),
        )
      expect(yield* half(0)).toEqual(Array(100).fill(true))
      yield* bus.consume({ stream: queue.name, consumer: "probe", concurrency: 4, handle })
      yield* done.until("some work", list => list.length >= 20)
      yield* nats.kill
      yield* nats.start
      yield* publishUntilStored(bus, "100", "t.activity.probe.ws.100")
      const seen = yield* done.until("all work", list => new Set(list).size === 101)
      // What was handled while the broker died comes again after the ack wait, and then the queue is empty.
      yield* storedIn(nats.url, queue.name).pipe(
        Effect.repeat({ until: count => count === 0, schedule: Schedule.spaced("100 millis") }),
        Effect.timeout("10 seconds"),
      )
      expect(new Set(seen)).toEqual(new Set(Array.from({ length: 101 }, (_, index) => String(index))))
    }),
  )

  it.live("with an empty store: a consumer's durable is brought back and new work reaches it", () =>
    Effect.gen(function* () {
      const nats = yield* testNats()
      const { admin, bus } = yield* client(nats.url)
      yield* admin.apply([queue])
      const done = collector<string>()
      const handle = (work: Work) =>
        Effect.andThen(
          Effect.sync(() => done.add(text(work.data))),
          work.ack,
        )
      yield* bus.consume({ stream: queue.name, consumer: "probe", concurrency: 4, handle })
      yield* publishUntilStored(bus, "before", "t.activity.probe.ws.k")
      yield* done.until("the work before", list => list.includes("before"))
      yield* nats.kill
      yield* nats.empty
      yield* nats.start
      yield* publishUntilStored(bus, "after", "t.activity.probe.ws.k")
      expect(yield* done.until("the work after", list => list.includes("after"))).toEqual(["before", "after"])
    }),
  )
})

describe("a stream that vanishes while the connection stands", () => {
  it.live("is brought back, and its reader and its consumer go on", () =>
    Effect.gen(function* () {
      const nats = yield* testNats()
      const { admin, bus } = yield* client(nats.url)
      yield* admin.apply([mailbox, queue])
      const [read, done] = [collector<string>(), collector<string>()]
      yield* bus.read({
        stream: mailbox.name,
        subject: "t.target.0.>",
        from: () => 0,
        onDelivery: delivery => read.add(text(delivery.data)),
      })
      const handle = (work: Work) =>
        Effect.andThen(
          Effect.sync(() => done.add(text(work.data))),
          work.ack,
        )
      yield* bus.consume({ stream: queue.name, consumer: "probe", concurrency: 4, handle })
      yield* publishUntilStored(bus, "before")
      yield* publishUntilStored(bus, "before", "t.activity.probe.ws.k")
      yield* read.until("the message before", list => list.length > 0)
      yield* done.until("the work before", list => list.length > 0)
      yield* deleteStreams(nats.url, [mailbox.name, queue.name])
      yield* publishUntilStored(bus, "after")
      yield* publishUntilStored(bus, "after", "t.activity.probe.ws.k")
      expect(yield* read.until("the message after", list => list.includes("after"))).toEqual(["before", "after"])
      expect(yield* done.until("the work after", list => list.includes("after"))).toEqual(["before", "after"])
    }),
  )
})

describe("a stream that is not there yet", () => {
  it.live("is waited for by its reader", () =>
    Effect.gen(function* () {
      const nats = yield* testNats()
      const { bus } = yield* client(nats.url)
      const got = collector<string>()
      const asked = collector<string>()
      yield* bus.onReconnect(Effect.sync(() => asked.add("asked")))
      yield* bus.read({
        stream: mailbox.name,
        subject: "t.target.0.>",
        from: () => 0,
        onDelivery: delivery => got.add(text(delivery.data)),
      })
      yield* asked.until("a hook that hears of the missing stream", list => list.length > 0)
      const { admin } = yield* client(nats.url)
      yield* admin.apply([mailbox])
      yield* publishUntilStored(bus, "1")
      expect(yield* got.until("the message", list => list.length > 0)).toEqual(["1"])
    }),
  )
})

describe("a broker that hangs", () => {
  it.live("is left behind, and when it goes on so do readers and work", () =>
    Effect.gen(function* () {
      const nats = yield* testNats()
      const { admin, bus } = yield* client(nats.url)
      yield* admin.apply([mailbox])
      const got = collector<string>()
      yield* bus.read({
        stream: mailbox.name,
        subject: "t.target.0.>",
        from: () => 0,
        onDelivery: delivery => got.add(text(delivery.data)),
      })
      yield* publishUntilStored(bus, "1")
      yield* got.until("the first message", list => list.includes("1"))
      yield* nats.signal("SIGSTOP")
      const [stored] = yield* bus.publish([{ subject, data: bytes("2") }])
      expect(stored).toBe(false)
      yield* nats.signal("SIGCONT")
      yield* publishUntilStored(bus, "3")
      expect(yield* got.until("the third message", list => list.includes("3"))).toContain("1")
    }),
  )
})
