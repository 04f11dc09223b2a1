/** One partition, one owner, on real servers: whoever lost a partition commits nothing, whatever it still believes. */
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { expect } from "vitest"
import type { AnyActorKind } from "../src/definition.ts"
import { Host, leaseMs } from "../src/host.ts"
import { countingActor } from "./counting-actor.ts"
import { installation, reconcile, rowsOf, say, silently, stateOf, until } from "./processes.ts"

const actor = (more: Partial<typeof countingActor>): AnyActorKind => ({
  _tag: "Document",
  definition: { ...countingActor, ...more },
})
const ownersOf = (kind: string) =>
  Effect.map(
    rowsOf<{ owner: string | null }>("SELECT DISTINCT owner FROM lease WHERE kind = $1 ORDER BY 1", [kind]),
    rows => rows.map(row => row.owner),
  )
const countTo = (key: string, count: number) =>
  until(`${count} messages of ${key}`, stateOf(key), state => state.count >= count, 25)

describe("an owner whose epoch was bumped", () => {
  it.live("commits nothing under the old one and stands down", () =>
    Effect.gen(function* () {
      const { process } = yield* installation
      const one = yield* process("one")
      yield* Effect.gen(function* () {
        yield* say(reconcile("a", "first"))
        yield* countTo("a", 1)
        // What another process does first when it takes a partition.
        yield* rowsOf("UPDATE partition SET epoch = epoch + 100")
        yield* say(reconcile("a", "second"))
        yield* countTo("a", 2)
        const epochs = yield* rowsOf<{ epoch: number }>(
          "SELECT epoch FROM journal WHERE kind = 'target' ORDER BY at, sequence",
        )
        // Neither under the old epoch nor under the stranger's, but under one of its own, taken after it stood down.
        expect(epochs.map(row => row.epoch)).toEqual([1, 102])
        expect((yield* stateOf("a")).heard).toEqual(["first", "second"])
      }).pipe(Effect.provideContext(one.context))
    }).pipe(Effect.scoped, silently),
  )
})

describe("two processes on one installation", () => {
  it.live(
    "lose nothing when the owner vanishes: the other takes over after the lease, what was committed and unsent included",
    () =>
      Effect.gen(function* () {
        const { process } = yield* installation
        const one = yield* process("one")
        const two = yield* process("two")
        yield* Effect.gen(function* () {
          expect(yield* ownersOf("target")).toEqual(["one"])
          yield* one.toNats.refuse // so that something is committed and not sent
          for (let i = 0; i < 20; i++) yield* say(reconcile("a", `forward:b:m${i}`))
        }).pipe(Effect.provideContext(one.context))
        yield* one.vanish
        yield* Effect.gen(function* () {
          const begun = performance.now()
          yield* until("a new owner", ownersOf("target"), owners => owners.join() === "two")
          expect(performance.now() - begun).toBeLessThan(leaseMs + 3_000)
          const { heard } = yield* countTo("b", 20)
          expect(heard).toEqual(Array.from({ length: 20 }, (_, i) => `m${i}`))
          expect((yield* stateOf("a")).count).toBe(20)
        }).pipe(Effect.provideContext(two.context))
      }).pipe(Effect.scoped, silently),
  )

  it.live(
    "apply each message once when an owner is paused past its lease and wakes up late with messages in its hands",
    () =>
      Effect.gen(function* () {
        const { process } = yield* installation
        const one = yield* process("one")
        const two = yield* process("two")
        const outside = yield* process("outside", { actors: [], doors: false })
        yield* Effect.gen(function* () {
          yield* say(reconcile("a", "m0"))
          yield* countTo("a", 1)
          // Its database stands still while its inbox fills: all that a paused process would find when it wakes up.
          yield* one.toPostgres.freeze
          for (let i = 1; i <= 30; i++) yield* say(reconcile("a", `m${i}`))
          yield* until("a new owner", ownersOf("target"), owners => owners.join() === "two")
          yield* countTo("a", 31)
          yield* one.toPostgres.thaw
          for (let i = 31; i <= 60; i++) yield* say(reconcile("a", `m${i}`))
          const { count, heard } = yield* countTo("a", 61)
          expect(count).toBe(61)
          expect(heard).toEqual(Array.from({ length: 50 }, (_, i) => `m${i + 11}`))
          const report = Effect.flatMap(Host, host => host.report).pipe(Effect.provideContext(one.context))
          yield* until("the old owner to stand down", report, list => list.every(each => each.kind !== "target"))
          const epochs = yield* rowsOf<{ epoch: number }>(
            "SELECT epoch FROM journal WHERE key = 'a' AND kind = 'target' ORDER BY sequence",
          )
          expect(epochs.map(row => row.epoch)).toEqual([...epochs.map(row => row.epoch)].sort((a, b) => a - b))
        }).pipe(Effect.provideContext(outside.context))
        yield* two.stop
      }).pipe(Effect.scoped, silently),
  )

  it.live("hand over at once when the owner stops", () =>
    Effect.gen(function* () {
      const { process } = yield* installation
      const one = yield* process("one")
      const two = yield* process("two")
      const begun = performance.now()
      yield* one.stop
      yield* until("a new owner", ownersOf("target"), owners => owners.join() === "two").pipe(
        Effect.provideContext(two.context),
      )
      expect(performance.now() - begun).toBeLessThan(leaseMs - 1_000)
    }).pipe(Effect.scoped, silently),
  )
})

describe("a message on which not the decision breaks but what is read for it", () => {
  it.live("stops its actor alone, and not the others of its partition", () =>
    Effect.gen(function* () {
      const { process } = yield* installation
      const breaking = actor({
        facts: (_, requests) =>
          requests.some(({ inputs }) =>
            inputs.some(one => one._tag === "Message" && one.message.body.reason === "break"),
          )
            ? Effect.die(new Error("a row that nobody expected"))
            : Effect.succeed(new Map()),
      })
      const one = yield* process("one", { actors: [breaking] })
      yield* Effect.gen(function* () {
        const keys = Array.from({ length: 20 }, (_, i) => `k${i}`)
        yield* say(...keys.map(key => reconcile(key, "before")), reconcile("bad", "break"), reconcile("bad", "after"))
        yield* say(...keys.map(key => reconcile(key, "after")))
        for (const key of keys) yield* countTo(key, 2)
        const dead = yield* until(
          "the dead letter",
          rowsOf<{ key: string; parked: boolean; reason: string }>(
            "SELECT key, parked, reason FROM dead_letter ORDER BY sequence",
          ),
          rows => rows.length === 2,
        )
        expect(dead.map(row => [row.key, row.parked])).toEqual([
          ["bad", false],
          ["bad", true],
        ])
        expect(dead[0]?.reason).toContain("a row that nobody expected")
      }).pipe(Effect.provideContext(one.context))
    }).pipe(Effect.scoped, silently),
  )
})

describe("a partition with a state that a newer version wrote", () => {
  it.live("is given back by the older process, says so, and goes on in a newer one", () =>
    Effect.gen(function* () {
      const { process } = yield* installation
      const older = yield* process("older")
      yield* Effect.gen(function* () {
        yield* say(reconcile("a", "first"))
        yield* countTo("a", 1)
        yield* rowsOf("UPDATE actor_state SET schema_version = 2")
        yield* say(reconcile("a", "second"))
        const host = yield* Host
        yield* until("the process to say so", host.report, list => list.some(one => one.problem?.includes("newer")))
        expect(yield* rowsOf("SELECT 1 FROM dead_letter")).toEqual([])
        yield* process("newer", { actors: [actor({ stateSchemaVersion: 2 })], doors: false })
        expect((yield* countTo("a", 2)).heard).toEqual(["first", "second"])
      }).pipe(Effect.provideContext(older.context))
    }).pipe(Effect.scoped, silently),
  )
})
