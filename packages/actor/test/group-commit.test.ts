// Group commit: what arrives while a commit is on its way shares the next one.
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { groupCommit } from "../src/group-commit.ts"
import { StorageError } from "../src/ports.ts"

describe("a group commit", () => {
  it.effect("commits the first at once and those that came meanwhile together, in order", () =>
    Effect.gen(function* () {
      const commits: Array<ReadonlyArray<number>> = []
      const gate = yield* Deferred.make<void>()
      const group = groupCommit<number>(
        () => 1,
        items =>
          Effect.andThen(
            Effect.sync(() => commits.push(items)),
            Deferred.await(gate),
          ),
      )
      const fibers = []
      for (const item of [1, 2, 3]) {
        fibers.push(yield* Effect.forkChild(group.add(item), { startImmediately: true }))
        yield* Effect.yieldNow
      }
      yield* Deferred.succeed(gate, undefined)
      for (const fiber of fibers) yield* Fiber.join(fiber)
      expect(commits).toEqual([[1], [2, 3]])
    }),
  )

  it.effect("tries a failed group one by one, so that one bad item fails alone", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const bad = new StorageError({ fault: "message", message: "this one can never be written" })
      const group = groupCommit<number>(
        () => 1,
        items => Effect.andThen(Deferred.await(gate), items.includes(2) ? Effect.fail(bad) : Effect.void),
      )
      const fibers = []
      for (const item of [0, 1, 2, 3]) {
        fibers.push(yield* Effect.forkChild(Effect.exit(group.add(item)), { startImmediately: true }))
        yield* Effect.yieldNow
      }
      yield* Deferred.succeed(gate, undefined)
      const exits = []
      for (const fiber of fibers) exits.push((yield* Fiber.join(fiber))._tag)
      expect(exits).toEqual(["Success", "Success", "Failure", "Success"])
    }),
  )

  it.effect("does not try each of a group that failed because the store is away", () =>
    Effect.gen(function* () {
      const commits: Array<ReadonlyArray<number>> = []
      const gate = yield* Deferred.make<void>()
      const away = new StorageError({ fault: "unavailable", message: "nobody answers" })
      const group = groupCommit<number>(
        () => 1,
        items =>
          Effect.sync(() => commits.push(items)).pipe(
            Effect.andThen(Deferred.await(gate)),
            Effect.andThen(Effect.fail(away)),
          ),
      )
      const fibers = []
      for (const item of [0, 1, 2, 3]) {
        fibers.push(yield* Effect.forkChild(Effect.exit(group.add(item)), { startImmediately: true }))
        yield* Effect.yieldNow
      }
      yield* Deferred.succeed(gate, undefined)
      for (const fiber of fibers) expect((yield* Fiber.join(fiber))._tag).toBe("Failure")
      expect(commits).toEqual([[0], [1, 2, 3]])
    }),
  )

  it.effect("goes on for the others when the caller who carries it is interrupted", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const committed: Array<number> = []
      const group = groupCommit<number>(
        () => 1,
        items =>
          Effect.andThen(
            Deferred.await(gate),
            Effect.sync(() => committed.push(...items)),
          ),
      )
      const first = yield* Effect.forkChild(group.add(1), { startImmediately: true })
      yield* Effect.yieldNow
      const second = yield* Effect.forkChild(group.add(2), { startImmediately: true })
      yield* Effect.yieldNow
      yield* Fiber.interrupt(first)
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(second)
      yield* group.add(3)
      expect(committed).toEqual([1, 2, 3])
    }),
  )

  it.effect("bounds a group by weight, and lets a heavier item go alone", () =>
    Effect.gen(function* () {
      const commits: Array<ReadonlyArray<number>> = []
      const gate = yield* Deferred.make<void>()
      const group = groupCommit<number>(
        item => item,
        items =>
          Effect.andThen(
            Effect.sync(() => commits.push(items)),
            Deferred.await(gate),
          ),
      )
      const fibers = []
      for (const item of [1, 600, 300, 200, 5_000]) {
        fibers.push(yield* Effect.forkChild(group.add(item), { startImmediately: true }))
        yield* Effect.yieldNow
      }
      yield* Deferred.succeed(gate, undefined)
      for (const fiber of fibers) yield* Fiber.join(fiber)
      expect(commits).toEqual([[1], [600, 300], [200], [5_000]])
    }),
  )
})
