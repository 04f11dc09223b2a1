// The bus on a broker that behaves: order, repeats, time-to-live, work and its verdicts, hints, topology.
import { describe, expect, it } from "@effect/vitest"
import type { Delivery, Work } from "@sluice/actor/ports"
import { Effect, Schedule } from "effect"
import { bytes, client, collector, freePort, serverThatSays, testNats, text } from "./nats.ts"
import { agentWork, mailbox, queue } from "./streams.ts"

const readTexts = (
  bus: Effect.Success<ReturnType<typeof client>>["bus"],
  from: () => number,
  subject = "t.target.0.>",
) =>
  Effect.gen(function* () {
    const got = collector<string>()
    yield* bus.read({
      stream: mailbox.name,
      subject,
      from,
      onDelivery: delivery => got.add(text(delivery.data)),
    })
    return got
  })

const numbered = (count: number, partition = 0) =>
  Array.from({ length: count }, (_, index) => ({
    subject: `t.target.${partition}.ws.key.Reconcile`,
    data: bytes(String(index)),
  }))

describe("a broker that is there", () => {
  it.live("hands a partition its messages in the order they were published, and no other partition's", () =>
    Effect.gen(function* () {
      const nats = yield* testNats()
      const { admin, bus } = yield* client(nats.url)
      yield* admin.apply([mailbox])
      const got = yield* readTexts(bus, () => 0)
      const stored = yield* bus.publish(numbered(1_500))
      yield* bus.publish(numbered(3, 1))
      expect(stored).toEqual(Array(1_500).fill(true))
      const seen = yield* got.until("1500 messages", list => list.length >= 1_500)
      expect(seen).toEqual(Array.from({ length: 1_500 }, (_, index) => String(index)))
    }),
  )

  it.live("starts a reader at the broker time it asks for, that moment included", () =>
    Effect.gen(function* () {
      const nats = yield* testNats()
      const { admin, bus } = yield* client(nats.url)
      yield* admin.apply([mailbox])
      const first = collector<Delivery>()
      yield* bus.read({ stream: mailbox.name, subject: "t.target.0.>", from: () => 0, onDelivery: first.add })
      for (const each of numbered(3)) yield* bus.publish([each])
      const all = yield* first.until("three messages", list => list.length === 3)
      const from = all[1]?.storedAt ?? 0
      const later = yield* readTexts(bus, () => from)
      const seen = yield* later.until("the last message", list => list.includes("2"))
      expect(seen).toContain("1")
      expect(all.filter(each => each.storedAt >= from).map(each => text(each.data))).toEqual(seen)
    }),
  )

  it.live("stores a message id once within the duplicate window and answers that it is stored both times", () =>
    Effect.gen(function* () {
      const nats = yield* testNats()
      const { admin, bus } = yield* client(nats.url)
      yield* admin.apply([mailbox])
      const subject = "t.target.0.ws.key.Reconcile"
      const once = { subject, data: bytes("once"), messageId: "job:0:1:1" }
      expect(yield* bus.publish([once, once])).toEqual([true, true])
      expect(yield* bus.publish([once, { subject, data: bytes("end") }])).toEqual([true, true])
      const got = yield* readTexts(bus, () => 0)
      expect(yield* got.until("the end", list => list.includes("end"))).toEqual(["once", "end"])
    }),
  )

  it.live("drops a message after its time to live", () =>
    Effect.gen(function* () {
      const nats = yield* testNats()
      const { admin, bus } = yield* client(nats.url)
      yield* admin.apply([mailbox])
      const subject = "t.target.0.ws.key.Reconcile"
      yield* bus.publish([
        { subject, data: bytes("kept") },
        { subject, data: bytes("short"), timeToLive: 1_000 },
      ])
      const stored = Effect.scoped(
        Effect.gen(function* () {
          yield* bus.publish([{ subject, data: bytes("end") }])
          const got = yield* readTexts(bus, () => 0)
          return yield* got.until("the end", list => list.includes("end"))
        }),
      )
      expect(yield* stored).toEqual(["kept", "short", "end"])
      const later = yield* Effect.repeat(stored, {
        until: list => !list.includes("short"),
        schedule: Schedule.spaced("200 millis"),
      }).pipe(Effect.timeout("10 seconds"))
      expect(later).toContain("kept")
    }),
  )

  it.live("keeps the first of two messages where a subject takes one, and answers that it is there", () =>
    Effect.gen(function* () {
      const nats = yield* testNats()
      const { admin, bus } = yield* client(nats.url)
      yield* admin.apply([
        {
          ...agentWork,
          consumers: [{ name: "a", filterSubject: "t.agent.ws.a.work.>", ackWait: 30_000, ackPendingMax: 8 }],
        },
      ])
      const subject = "t.agent.ws.a.work.job"
      expect(yield* bus.publish([{ subject, data: bytes("first") }])).toEqual([true])
      expect(yield* bus.publish([{ subject, data: bytes("second") }])).toEqual([true])
      yield* bus.publish([{ subject: "t.agent.ws.a.work.end", data: bytes("end") }])
      const got = collector<string>()
      yield* bus.consume({
        stream: agentWork.name,
        consumer: "a",
        concurrency: 4,
        handle: work =>
          Effect.andThen(
            Effect.sync(() => got.add(text(work.data))),
            work.ack,
          ),
      })
      expect(yield* got.until("the end", list => list.includes("end"))).toEqual(["first", "end"])
    }),
  )

  it.live("removes what is stored on a subject when it is purged, and nothing else", () =>
    Effect.gen(function* () {
      const nats = yield* testNats()
      const { admin, bus } = yield* client(nats.url)
      yield* admin.apply([mailbox])
      yield* bus.publish([
        { subject: "t.target.0.ws.gone.Reconcile", data: bytes("gone") },
        { subject: "t.target.0.ws.kept.Reconcile", data: bytes("kept") },
      ])
      yield* bus.purge(mailbox.name, "t.target.0.ws.gone.>")
      const got = yield* readTexts(bus, () => 0)
      expect(yield* got.until("what is kept", list => list.includes("kept"))).toEqual(["kept"])
    }),
  )

  it.live("announces to listeners, who hear it only while they listen", () =>
    Effect.gen(function* () {
      const nats = yield* testNats()
      const { bus } = yield* client(nats.url)
      const other = yield* client(nats.url)
      const heard = collector<string>()
      const add = (subject: string, data: Uint8Array) => heard.add(`${subject} ${text(data)}`)
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* other.bus.listen("t.hint.*", add)
          yield* bus.announce("t.hint.a", bytes("1"))
          yield* heard.until("the hint", list => list.length === 1)
        }),
      )
      yield* other.bus.listen("t.end", add)
      yield* bus.announce("t.hint.a", bytes("2"))
      yield* bus.announce("t.end", bytes("3"))
      expect(yield* heard.until("the end", list => list.length === 2)).toEqual(["t.hint.a 1", "t.end 3"])
    }),
  )
})

describe("work from a durable consumer", () => {
  it.live(
    "comes again after the delay when the handler asks for it, counting its deliveries, and not after the ack",
    () =>
      Effect.gen(function* () {
        const nats = yield* testNats()
        const { admin, bus } = yield* client(nats.url)
        yield* admin.apply([queue])
        const got = collector<{ readonly body: string; readonly deliveries: number; readonly at: number }>()
        const handle = (work: Work) =>
          Effect.gen(function* () {
            got.add({ body: text(work.data), deliveries: work.deliveries, at: performance.now() })
            yield* work.deliveries < 3 ? work.retry(300) : work.ack
          })
        yield* bus.consume({ stream: queue.name, consumer: "probe", concurrency: 2, handle })
        yield* bus.publish([{ subject: "t.activity.probe.ws.k", data: bytes("work") }])
        const seen = yield* got.until("three deliveries", list => list.length === 3)
        expect(seen.map(each => each.deliveries)).toEqual([1, 2, 3])
        expect((seen[1]?.at ?? 0) - (seen[0]?.at ?? 0)).toBeGreaterThan(250)
        // An acknowledged message leaves its work queue; what is published next is the only thing there.
        yield* bus.publish([{ subject: "t.activity.probe.ws.k", data: bytes("next") }])
        yield* got.until("the next one acknowledged", list => list.filter(each => each.body === "next").length === 3)
        expect(got.seen.filter(each => each.body === "work")).toHaveLength(3)
      }),
  )

  it.live("is handled by at most as many handlers as asked for, however much there is", () =>
    Effect.gen(function* () {
      const nats = yield* testNats()
      const { admin, bus } = yield* client(nats.url)
      yield* admin.apply([queue])
      let active = 0
      let most = 0
      const done = collector<string>()
      const handle = (work: Work) =>
        Effect.gen(function* () {
          active += 1
          most = Math.max(most, active)
          yield* Effect.promise(() => new Promise(setImmediate))
          yield* work.ack
          active -= 1
          done.add(text(work.data))
        })
      yield* bus.publish(
        Array.from({ length: 200 }, (_, index) => ({
          subject: `t.activity.probe.ws.${index}`,
          data: bytes(`${index}`),
        })),
      )
      yield* bus.consume({ stream: queue.name, consumer: "probe", concurrency: 5, handle })
      const seen = yield* done.until("200 pieces of work", list => list.length >= 200)
      expect(new Set(seen).size).toBe(200)
      expect(most).toBe(5)
    }),
  )

  it.live("stays with a handler that says it is working for longer than the ack wait", () =>
    Effect.gen(function* () {
      const nats = yield* testNats()
      const { admin, bus } = yield* client(nats.url)
      const consumer = { name: "probe", filterSubject: "t.activity.probe.>", ackWait: 1_000, ackPendingMax: 8 }
      yield* admin.apply([{ ...queue, consumers: [consumer] }])
      const got = collector<number>()
      const handle = (work: Work) =>
        Effect.gen(function* () {
          got.add(work.deliveries)
          yield* Effect.repeat(work.working, Schedule.max([Schedule.spaced("400 millis"), Schedule.recurs(5)]))
          yield* work.ack
          got.add(0)
        })
      yield* bus.consume({ stream: queue.name, consumer: "probe", concurrency: 4, handle })
      yield* bus.publish([{ subject: "t.activity.probe.ws.k", data: bytes("work") }])
      expect(yield* got.until("the work done", list => list.includes(0))).toEqual([1, 0])
    }),
  )

  it.live("goes back to the queue at once when its handler is interrupted", () =>
    Effect.gen(function* () {
      const nats = yield* testNats()
      const { admin, bus } = yield* client(nats.url)
      const slow = { name: "probe", filterSubject: "t.activity.probe.>", ackWait: 600_000, ackPendingMax: 8 }
      yield* admin.apply([{ ...queue, consumers: [slow] }])
      yield* bus.publish([{ subject: "t.activity.probe.ws.k", data: bytes("work") }])
      const started = collector<number>()
      yield* Effect.scoped(
        Effect.gen(function* () {
          const handle = (work: Work) =>
            Effect.andThen(
              Effect.sync(() => started.add(work.deliveries)),
              Effect.never,
            )
          yield* bus.consume({ stream: queue.name, consumer: "probe", concurrency: 1, handle })
          yield* started.until("the handler to start", list => list.length === 1)
        }),
      )
      const again = collector<number>()
      const handle = (work: Work) =>
        Effect.andThen(
          Effect.sync(() => again.add(work.deliveries)),
          work.ack,
        )
      yield* bus.consume({ stream: queue.name, consumer: "probe", concurrency: 1, handle })
      expect(yield* again.until("the work again", list => list.length === 1)).toEqual([2])
    }),
  )
})

describe("a topology", () => {
  it.live("is created by the first apply, left alone by the second, and changed where a spec differs", () =>
    Effect.gen(function* () {
      const nats = yield* testNats()
      const { admin } = yield* client(nats.url)
      expect(yield* admin.apply([mailbox, queue])).toEqual([
        "+ stream t_target (t.target.>)",
        "+ stream t_activity (t.activity.>)",
        "+ consumer t_activity/probe (t.activity.probe.>)",
      ])
      expect(yield* admin.apply([mailbox, queue])).toEqual([])
      const consumers = queue.consumers.map(each => ({ ...each, ackWait: 5_000 }))
      expect(
        yield* admin.apply([
          { ...mailbox, maxAge: 7_200_000 },
          { ...queue, consumers },
        ]),
      ).toEqual([
        "~ stream t_target: max_age 3600000000000 → 7200000000000",
        "~ consumer t_activity/probe: ack_wait 2000000000 → 5000000000",
      ])
    }),
  )
})

describe("a start without a usable broker", () => {
  it.live("fails within the bound with one sentence that names the address and hides the password", () =>
    Effect.gen(function* () {
      const port = yield* freePort
      const error = yield* Effect.flip(client(`nats://user:hidden@127.0.0.1:${port}`, 500))
      expect(error.reason).toBe("unavailable")
      expect(error.message).toMatch(
        new RegExp(`^No NATS server could be reached at nats://127.0.0.1:${port} within 0.5 s: .*\\.$`),
      )
      expect(error.message).not.toContain("hidden")
    }),
  )

  it.live("refuses a broker that is too old, by its version", () =>
    Effect.gen(function* () {
      const url = yield* serverThatSays({ version: "2.9.10" })
      const error = yield* Effect.flip(client(url))
      expect(error).toMatchObject({
        reason: "refused",
        message: "nats-server 2.9.10 is too old: Sluice needs nats-server 2.12 or newer.",
      })
    }),
  )

  it.live("fails at once when the login is refused, and logs in with what stands in the address", () =>
    Effect.gen(function* () {
      const nats = yield* testNats("--user", "sluice", "--pass", "right")
      const withLogin = (pass: string) => nats.url.replace("nats://", `nats://sluice:${pass}@`)
      const error = yield* Effect.flip(client(withLogin("wrong")))
      expect(error.reason).toBe("refused")
      expect(error.message).toContain("refused the login")
      const { bus } = yield* client(withLogin("right"))
      expect(bus.namespace).toBe("t")
    }),
  )
})
