import { expect, layer } from "@effect/vitest"
import { Storage, type StorageError, type Tx } from "@sluice/actor/ports"
import type { WorkspaceId } from "@sluice/domain/ids"
import { testStore } from "@sluice/testkit/shared"
import { Deferred, Effect, Exit, Fiber } from "effect"
import { workspace } from "../src/schema.ts"
import { within } from "../src/storage.ts"

const addGuard = (tx: Tx, name: string) => tx.query("INSERT INTO guard (name) VALUES ($1)", [name])
const bump = (tx: Tx, name: string) => tx.query("UPDATE guard SET version = version + 1 WHERE name = $1", [name])

const versionOf = Effect.fnUntraced(function* (name: string) {
  const storage = yield* Storage
  const rows = yield* storage.query<{ version: number }>("SELECT version FROM guard WHERE name = $1", [name])
  return rows[0]?.version
})

const given = Effect.fnUntraced(function* (...names: ReadonlyArray<string>) {
  const storage = yield* Storage
  for (const name of names) yield* storage.query("INSERT INTO guard (name) VALUES ($1)", [name])
  return storage
})

/** The error an effect must end with. */
const failureOf = <A, E>(effect: Effect.Effect<A, E, Storage>) => Effect.flip(effect)

layer(testStore, { excludeTestServices: true, timeout: "60 seconds" })("a transaction on Postgres", it => {
  it.effect("keeps everything its work wrote, and hands on what the work returned", () =>
    Effect.gen(function* () {
      const storage = yield* Storage
      const answer = yield* storage.transaction("repeatable read", tx =>
        Effect.as(Effect.andThen(addGuard(tx, "kept-1"), addGuard(tx, "kept-2")), "done"),
      )
      expect(answer).toBe("done")
      expect([yield* versionOf("kept-1"), yield* versionOf("kept-2")]).toEqual([0, 0])
    }),
  )

  it.effect("keeps nothing when its work fails, and fails with the work's own error", () =>
    Effect.gen(function* () {
      const storage = yield* Storage
      const error = yield* failureOf(
        storage.transaction("read committed", tx =>
          Effect.andThen(addGuard(tx, "unwanted"), Effect.fail("no" as const)),
        ),
      )
      expect(error).toBe("no")
      expect(yield* versionOf("unwanted")).toBeUndefined()
    }),
  )

  it.effect("keeps nothing when its work throws, and its connection is usable again", () =>
    Effect.gen(function* () {
      const storage = yield* Storage
      for (let time = 0; time < 20; time++) {
        const exit = yield* Effect.exit(
          storage.transaction("read committed", tx =>
            Effect.andThen(addGuard(tx, "thrown"), Effect.die(new Error("a mistake"))),
          ),
        )
        expect(Exit.isFailure(exit)).toBe(true)
      }
      expect(yield* versionOf("thrown")).toBeUndefined()
    }),
  )

  it.effect("is rolled back when interrupted, and frees the row it had locked", () =>
    Effect.gen(function* () {
      const storage = yield* given("interrupted")
      const locked = yield* Deferred.make<void>()
      const stuck = yield* storage
        .transaction("read committed", tx =>
          Effect.andThen(bump(tx, "interrupted"), Effect.andThen(Deferred.succeed(locked, undefined), Effect.never)),
        )
        .pipe(Effect.forkChild)
      yield* Deferred.await(locked)
      yield* Fiber.interrupt(stuck)
      yield* storage.transaction("read committed", tx => bump(tx, "interrupted"))
      expect(yield* versionOf("interrupted")).toBe(1)
    }),
  )

  it.effect("sees one moment under repeatable read, and every commit under read committed", () =>
    Effect.gen(function* () {
      const storage = yield* given("moment")
      const read = (tx: Tx) => tx.query<{ version: number }>("SELECT version FROM guard WHERE name = 'moment'")
      const seen = (isolation: "repeatable read" | "read committed") =>
        storage.transaction(isolation, tx =>
          Effect.gen(function* () {
            const [before] = yield* read(tx)
            yield* storage.transaction("read committed", other => bump(other, "moment"))
            const [after] = yield* read(tx)
            return (after?.version ?? 0) - (before?.version ?? 0)
          }),
        )
      expect(yield* seen("repeatable read")).toBe(0)
      expect(yield* seen("read committed")).toBe(1)
    }),
  )

  it.effect("is a conflict when another changed the same row since it began reading", () =>
    Effect.gen(function* () {
      const storage = yield* given("contested")
      const error = yield* failureOf(
        storage.transaction("repeatable read", tx =>
          Effect.gen(function* () {
            yield* tx.query("SELECT * FROM guard WHERE name = 'contested'")
            yield* storage.transaction("repeatable read", other => bump(other, "contested"))
            yield* bump(tx, "contested")
          }),
        ),
      )
      expect(error).toMatchObject({ fault: "conflict", code: "40001" })
      expect(yield* versionOf("contested")).toBe(1)
    }),
  )

  it.effect("is a conflict for one of two that wait for each other, and the other goes through", () =>
    Effect.gen(function* () {
      const storage = yield* given("left", "right")
      const [hasLeft, hasRight] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const inOrder = (first: string, second: string, mine: typeof hasLeft, theirs: typeof hasLeft) =>
        storage.transaction("read committed", tx =>
          Effect.gen(function* () {
            yield* bump(tx, first)
            yield* Deferred.succeed(mine, undefined)
            yield* Deferred.await(theirs)
            yield* bump(tx, second)
          }),
        )
      const exits = yield* Effect.all(
        [
          Effect.result(inOrder("left", "right", hasLeft, hasRight)),
          Effect.result(inOrder("right", "left", hasRight, hasLeft)),
        ],
        { concurrency: 2 },
      )
      const failures = exits.flatMap(exit => (exit._tag === "Failure" ? [exit.failure] : []))
      expect(failures).toHaveLength(1)
      expect(failures[0]).toMatchObject({ fault: "conflict", code: "40P01" })
      expect(yield* versionOf("left")).toBe(1)
    }),
  )

  it.effect("is the message's fault when a constraint, a value or a limit of the server refuses it", () =>
    Effect.gen(function* () {
      const storage = yield* given("twice")
      const refused = (text: string, values: ReadonlyArray<unknown> = []): Effect.Effect<StorageError, unknown> =>
        Effect.flip(storage.transaction("read committed", tx => tx.query(text, values)))
      expect(yield* refused("INSERT INTO guard (name) VALUES ('twice')")).toMatchObject({
        fault: "message",
        code: "23505",
        constraint: "guard_pkey",
      })
      expect(yield* refused("SELECT $1::jsonb", ['{"zero": "\\u0000"}'])).toMatchObject({
        fault: "message",
        code: "22P05",
      })
      const columns = Array.from({ length: 2_000 }, (_, index) => index).join()
      expect(yield* refused(`SELECT ${columns}`)).toMatchObject({ fault: "message", code: "54011" })
    }),
  )

  it.effect("is nobody's fault but ours when a statement is wrong, so it is not the message that is put aside", () =>
    Effect.gen(function* () {
      const storage = yield* Storage
      const error = yield* failureOf(storage.transaction("read committed", tx => tx.query("SELECT nonsense")))
      expect(error).toMatchObject({ fault: "unavailable", code: "42703" })
    }),
  )

  it.effect("never says it was kept when its work went on after a failed statement", () =>
    Effect.gen(function* () {
      const storage = yield* given("first")
      const error = yield* failureOf(
        storage.transaction("read committed", tx =>
          Effect.gen(function* () {
            yield* addGuard(tx, "lost")
            yield* Effect.flip(addGuard(tx, "first"))
            return "fine"
          }),
        ),
      )
      expect(error).toMatchObject({ fault: "message", code: "23505" })
      expect(yield* versionOf("lost")).toBeUndefined()
    }),
  )

  it.effect("cannot be used once it has ended", () =>
    Effect.gen(function* () {
      const storage = yield* Storage
      const kept = yield* storage.transaction("read committed", tx => Effect.succeed(tx))
      const exit = yield* Effect.exit(addGuard(kept, "late"))
      expect(Exit.isFailure(exit) && String(exit.cause)).toContain("used after its end")
      expect(yield* versionOf("late")).toBeUndefined()
    }),
  )

  it.effect("runs statements sent at the same time one after the other", () =>
    Effect.gen(function* () {
      const storage = yield* given("many")
      yield* storage.transaction("read committed", tx =>
        Effect.all(
          Array.from({ length: 20 }, () => bump(tx, "many")),
          { concurrency: "unbounded" },
        ),
      )
      expect(yield* versionOf("many")).toBe(20)
    }),
  )

  it.effect("keeps or drops what drizzle wrote within it together with the rest", () =>
    Effect.gen(function* () {
      const storage = yield* Storage
      const id = (digit: number) => `00000000-0000-4000-8000-00000000000${digit}` as WorkspaceId
      const write = (tx: Tx, digit: number) =>
        within(tx, db => db.insert(workspace).values({ id: id(digit), slug: `slug-${digit}`, name: "A name" }))
      yield* storage.transaction("read committed", tx => Effect.andThen(write(tx, 1), addGuard(tx, "with-drizzle")))
      yield* Effect.flip(
        storage.transaction("read committed", tx => Effect.andThen(write(tx, 2), addGuard(tx, "with-drizzle"))),
      )
      const taken = yield* Effect.flip(storage.transaction("read committed", tx => write(tx, 1)))
      expect(taken).toMatchObject({ fault: "message", code: "23505", constraint: "workspace_pkey" })
      const rows = yield* storage.transaction("read committed", tx => within(tx, db => db.select().from(workspace)))
      expect(rows.map(row => row.slug)).toEqual(["slug-1"])
      expect(rows[0]?.createdAt).toBeInstanceOf(Date)
    }),
  )

  it.effect("reads bigints as numbers, times as dates and jsonb as values", () =>
    Effect.gen(function* () {
      const storage = yield* Storage
      const [row] = yield* storage.query(
        `SELECT 9007199254740991::bigint AS big, '2026-03-01T00:00:00.123Z'::timestamptz AS at, '{"a": [1, "b"]}'::jsonb AS json`,
      )
      expect(row).toEqual({
        big: 9_007_199_254_740_991,
        at: new Date("2026-03-01T00:00:00.123Z"),
        json: { a: [1, "b"] },
      })
      const error = yield* failureOf(storage.query("SELECT 9007199254740993::bigint"))
      expect(error.message).toBe("the bigint 9007199254740993 does not fit a number")
    }),
  )
})
