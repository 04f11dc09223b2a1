/** The loop on a real broker and a real database: what P2 to P4 and P6 rest on. */
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { expect } from "vitest"
import { Door } from "../src/door.ts"
import { Storage } from "../src/ports.ts"
import { installation, reconcile, silently, stateOf, until, workspaceId } from "./processes.ts"

describe("an actor on the runtime", () => {
  it.live(
    "applies each message once and in order, across partitions",
    () =>
      Effect.gen(function* () {
        const { process } = yield* installation
        const one = yield* process("one")
        yield* Effect.gen(function* () {
          const door = yield* Door
          const names = Array.from({ length: 300 }, (_, i) => `m${i}`)
          for (const name of names.slice(0, 100)) {
            yield* door.commit(workspaceId, () =>
              Effect.succeed({ value: undefined, messages: [reconcile("a", name)] }),
            )
          }
          yield* door.commit(workspaceId, () =>
            Effect.succeed({ value: undefined, messages: names.slice(100).map(name => reconcile("a", name)) }),
          )
          yield* door.commit(workspaceId, () =>
            Effect.succeed({ value: undefined, messages: [reconcile("b", "forward:c:forward:d:forward:e:hello")] }),
          )
          const a = yield* until("300 messages", stateOf("a"), state => state.count >= 300)
          expect(a.count).toBe(300)
          expect(a.heard).toEqual(names.slice(-50))
          const e = yield* until("the forwarded message", stateOf("e"), state => state.count > 0)
          expect(e.heard).toEqual(["hello"])
          yield* until("an empty outbox", (yield* Storage).query("SELECT 1 FROM outbox"), rows => rows.length === 0)
        }).pipe(Effect.provideContext(one.context))
        yield* one.stop
      }).pipe(Effect.scoped, silently),
    30_000,
  )

  it.live(
    "fires a timer once, also when the process that set it is gone",
    () =>
      Effect.gen(function* () {
        const { process } = yield* installation
        const one = yield* process("one")
        yield* Effect.gen(function* () {
          const door = yield* Door
          yield* door.commit(workspaceId, () =>
            Effect.succeed({ value: undefined, messages: [reconcile("t", "timer:800")] }),
          )
          yield* until("the timer to be set", stateOf("t"), state => state.count === 1)
        }).pipe(Effect.provideContext(one.context))
        yield* one.stop
        const two = yield* process("two")
        yield* Effect.gen(function* () {
          const state = yield* until("the timer", stateOf("t"), state => state.count === 2)
          expect(state.heard).toEqual(["timer:800", "rang:bell"])
          const rows = yield* (yield* Storage).query("SELECT 1 FROM timer")
          expect(rows).toEqual([])
        }).pipe(Effect.provideContext(two.context))
        yield* two.stop
      }).pipe(Effect.scoped, silently),
    30_000,
  )

  it.live(
    "fires every one of a thousand timers that are due at the same time, and handles messages in between",
    () =>
      Effect.gen(function* () {
        const { process } = yield* installation
        const one = yield* process("one")
        yield* Effect.gen(function* () {
          const door = yield* Door
          const keys = Array.from({ length: 1_000 }, (_, i) => `t${i}`)
          const commit = (messages: ReadonlyArray<ReturnType<typeof reconcile>>) =>
            door.commit(workspaceId, () => Effect.succeed({ value: undefined, messages }))
          const counted = Effect.flatMap(Storage, storage =>
            storage.query<{ n: number }>("SELECT count(*)::int AS n FROM actor_state WHERE state ->> 'count' = '2'"),
          )
          yield* commit(keys.map(key => reconcile(key, "timer:1000")))
          yield* commit([reconcile("message", "first"), reconcile("message", "second")])
          yield* until("the messages", stateOf("message"), state => state.count === 2)
          yield* until("all timers", counted, rows => rows[0]?.n === 1_001)
          const rang = yield* (yield* Storage).query("SELECT 1 FROM journal WHERE type = 'timer:bell'")
          expect(rang).toHaveLength(1_000)
          expect(yield* (yield* Storage).query("SELECT 1 FROM timer")).toEqual([])
        }).pipe(Effect.provideContext(one.context))
        yield* one.stop
      }).pipe(Effect.scoped, silently),
    30_000,
  )

  it.live(
    "stops an actor at a message that throws, parks what follows, and goes on with the others",
    () =>
      Effect.gen(function* () {
        const { process } = yield* installation
        const one = yield* process("one")
        yield* Effect.gen(function* () {
          const door = yield* Door
          const list = ["x", "throw", "y"].map(reason => reconcile("k", reason)).concat(reconcile("other", "z"))
          yield* door.commit(workspaceId, () => Effect.succeed({ value: undefined, messages: list }))
          yield* until("the other actor", stateOf("other"), state => state.count === 1)
          const rows = yield* until(
            "the dead letter",
            (yield* Storage).query<{ parked: boolean; reason: string }>(
              "SELECT parked, reason FROM dead_letter ORDER BY sequence",
            ),
            rows => rows.length === 2,
          )
          expect(rows.map(row => row.parked)).toEqual([false, true])
          expect(rows[0]?.reason).toContain("this message cannot be handled")
          expect((yield* stateOf("k")).heard).toEqual(["x"])
        }).pipe(Effect.provideContext(one.context))
        yield* one.stop
      }).pipe(Effect.scoped, silently),
    30_000,
  )

  it.live(
    "answers a caller who waits for the receipt",
    () =>
      Effect.gen(function* () {
        const { process } = yield* installation
        const one = yield* process("one")
        yield* Effect.gen(function* () {
          const door = yield* Door
          const ask = (reason: string) =>
            door.ask(workspaceId, 5_000, () => Effect.succeed({ value: undefined, message: reconcile("r", reason) }))
          expect((yield* ask("hello")).receipt).toEqual({ _tag: "Applied" })
          expect((yield* ask("refuse")).receipt).toEqual({ _tag: "Refused", reason: "not now" })
        }).pipe(Effect.provideContext(one.context))
        yield* one.stop
      }).pipe(Effect.scoped, silently),
    30_000,
  )

  it.live(
    "loses nothing and repeats nothing when the broker comes back empty",
    () =>
      Effect.gen(function* () {
        const { nats, process } = yield* installation
        const one = yield* process("one")
        yield* Effect.gen(function* () {
          const door = yield* Door
          const say = (name: string) =>
            door.commit(workspaceId, () =>
              Effect.succeed({ value: undefined, messages: [reconcile("a", `forward:b:${name}`)] }),
            )
          for (let i = 0; i < 20; i++) yield* say(`before${i}`)
          yield* nats.server.kill
          for (let i = 0; i < 20; i++) yield* say(`during${i}`)
          yield* nats.server.start
          for (let i = 0; i < 20; i++) yield* say(`after${i}`)
          const b = yield* until("all sixty", stateOf("b"), state => state.count >= 60)
          expect(b.count).toBe(60)
          expect(b.heard.slice(-20)).toEqual(Array.from({ length: 20 }, (_, i) => `after${i}`))
        }).pipe(Effect.provideContext(one.context))
        yield* one.stop
      }).pipe(Effect.scoped, silently),
    40_000,
  )
})
