/** What P2 and P4 rest on, on real servers: whatever gets lost, repeated or turned round on the way, each message counts once. */
import { describe, it } from "@effect/vitest"
import { partitionOf } from "@sluice/protocol/partition"
import { streams, subjects } from "@sluice/protocol/subjects"
import { seeded } from "@sluice/testkit/fault-random"
import { natsHook } from "@sluice/testkit/nats-frames"
import { Effect } from "effect"
import { expect } from "vitest"
import { Numbering } from "../src/collector.ts"
import { PartitionStore } from "../src/partition-store.ts"
import { Bus, Storage } from "../src/ports.ts"
import { installation, reconcile, rowsOf, say, silently, stateOf, until, workspaceId } from "./processes.ts"

const outboxEmpty = until("an empty outbox", rowsOf("SELECT 1 FROM outbox"), rows => rows.length === 0)

/** Inputs of the journal that were decided more than once. */
const decidedTwice = rowsOf(
  `SELECT source_kind, source_partition, kind, partition, number FROM journal WHERE number IS NOT NULL
   GROUP BY 1, 2, source_incarnation, 3, 4, 5 HAVING count(*) > 1`,
)

describe("a message that a door committed", () => {
  it.live("arrives although the process that committed it died before it told anybody", () =>
    Effect.gen(function* () {
      const { process } = yield* installation
      const { context } = yield* process("one")
      yield* Effect.gen(function* () {
        yield* say(reconcile("a", "before"))
        yield* until("the first message", stateOf("a"), state => state.count === 1)
        yield* outboxEmpty
        const [storage, store] = [yield* Storage, yield* PartitionStore]
        const at = { kind: "door" as const, partition: partitionOf(workspaceId, store.installation.partitions) }
        yield* storage.transaction("read committed", tx =>
          store.number(tx, at, head => {
            const numbering = new Numbering({ at, ...store.installation }, head)
            numbering.send(reconcile("a", "orphan"), { correlationId: "c" })
            return { value: undefined, outbox: numbering.outbox, drawn: numbering.drawn }
          }),
        )
        const { heard } = yield* until("the orphan", stateOf("a"), state => state.count === 2)
        expect(heard).toEqual(["before", "orphan"])
      }).pipe(Effect.provideContext(context))
    }).pipe(Effect.scoped, silently),
  )
})

describe("a batch whose COMMIT is answered to nobody", () => {
  it.live("counts once, and what it sent and the timers it set are not forgotten", () =>
    Effect.gen(function* () {
      const { process } = yield* installation
      const owner = yield* process("owner")
      // The door of another process, so that the only COMMIT in the owner's connections that matters is the batch's.
      const door = yield* process("door", { actors: [], doors: false })
      for (const [key, reason] of [
        ["a", "forward:b:hello"],
        ["t", "timer:1500"],
      ] as const) {
        let seen = false
        const dropped = yield* owner.toPostgres.dropNextResponseAfter(bytes => {
          seen ||= bytes.includes(`"${reason}"`)
          return seen && bytes.includes("COMMIT")
        })
        yield* say(reconcile(key, reason)).pipe(Effect.provideContext(door.context))
        yield* dropped
      }
      yield* Effect.gen(function* () {
        expect((yield* until("the forwarded message", stateOf("b"), state => state.count > 0)).heard).toEqual(["hello"])
        expect((yield* until("the timer", stateOf("t"), state => state.count > 1)).heard).toEqual([
          "timer:1500",
          "rang:bell",
        ])
        expect((yield* stateOf("a")).count).toBe(1)
        expect(yield* decidedTwice).toEqual([])
        yield* outboxEmpty
      }).pipe(Effect.provideContext(door.context))
    }).pipe(Effect.scoped, silently),
  )
})

describe("a broker that does not keep its promises", () => {
  it.live("changes nothing when it delivers every message again later, in another order", () =>
    Effect.gen(function* () {
      const { process } = yield* installation
      const { context } = yield* process("one")
      yield* Effect.gen(function* () {
        const names = Array.from({ length: 60 }, (_, i) => `m${i}`)
        yield* say(...names.flatMap(name => [reconcile("a", name), reconcile("b", `forward:c:${name}`)]))
        yield* until("all messages", stateOf("c"), state => state.count === 60)
        yield* until("all messages", stateOf("a"), state => state.count === 60)
        const journalled = yield* rowsOf("SELECT 1 FROM journal")

        const bus = yield* Bus
        const seen: Array<{ readonly subject: string; readonly data: Uint8Array }> = []
        yield* bus.read({
          stream: streams("sluice").mailbox("target"),
          subject: subjects("sluice").kind("target"),
          from: () => 0,
          onDelivery: delivery => void seen.push(delivery),
        })
        yield* until(
          "everything there is",
          Effect.sync(() => seen.length),
          length => length >= 180,
        )
        yield* bus.publish([...seen].reverse())
        yield* bus.publish(seen)
        yield* say(reconcile("a", "last"), reconcile("b", "last"), reconcile("c", "last"))
        yield* until("the last message", stateOf("a"), state => state.heard.at(-1) === "last")
        yield* until("the last message", stateOf("c"), state => state.heard.at(-1) === "last")
        yield* until("the last message", stateOf("b"), state => state.heard.at(-1) === "last")

        for (const key of ["a", "b", "c"]) expect((yield* stateOf(key)).count).toBe(61)
        expect((yield* stateOf("c")).heard).toEqual([...names, "last"].slice(-50))
        expect(yield* rowsOf("SELECT 1 FROM journal")).toHaveLength(journalled.length + 3)
      }).pipe(Effect.provideContext(context))
    }).pipe(Effect.scoped, silently),
  )

  it.live(
    "loses a third of the messages on their way in, repeats and swaps others, and all count once and in order",
    () =>
      Effect.gen(function* () {
        const { process } = yield* installation
        const random = seeded(7)
        let held: Buffer | undefined
        const { context } = yield* process("one", {
          hook: natsHook({
            toServer: ({ subject, bytes }) => {
              if (!subject.startsWith("sluice.target.")) return [bytes]
              const luck = random.next()
              if (luck < 0.33) return []
              if (luck < 0.5) return [bytes, bytes]
              const before = held
              held = before === undefined && luck < 0.65 ? bytes : undefined
              if (held !== undefined) return []
              return before === undefined ? [bytes] : [bytes, before]
            },
          }),
        })
        yield* Effect.gen(function* () {
          const names = Array.from({ length: 60 }, (_, i) => `m${i}`)
          for (const name of names) yield* say(reconcile("a", name), reconcile("b", `forward:c:${name}`))
          yield* until("all of a", stateOf("a"), state => state.count === 60, 40)
          const c = yield* until("all of c", stateOf("c"), state => state.count === 60, 40)
          expect((yield* stateOf("a")).heard).toEqual(names.slice(-50))
          expect(c.heard).toEqual(names.slice(-50))
          expect(yield* decidedTwice).toEqual([])
        }).pipe(Effect.provideContext(context))
      }).pipe(Effect.scoped, silently),
  )
})
