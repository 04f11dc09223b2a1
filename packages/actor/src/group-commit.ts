/**
 * Group commit: while one commit is on its way, whatever arrives waits and goes with the next, all in one transaction. An
 * idle system commits at once; a busy one shares the fsync and the lock. Items that fail together are tried one by one
 * when the fault is one item's own.
 */
import { Cause, Deferred, Effect, Exit } from "effect"
import type { StorageError } from "./ports.ts"

/** Weight of one group at most: a commit stays short enough for others to get at the row in between. */
const weightMax = 1_000

export interface GroupCommit<Item> {
  /** Succeeds when the item is durable. */
  readonly add: (item: Item) => Effect.Effect<void, StorageError>
}

/** `weight` of an item: how much it adds to the commit; one heavier than a whole group goes alone. */
export const groupCommit = <Item>(
  weight: (item: Item) => number,
  commit: (items: ReadonlyArray<Item>) => Effect.Effect<void, StorageError>,
): GroupCommit<Item> => {
  const waiting: Array<{ readonly item: Item; readonly done: Deferred.Deferred<void, StorageError> }> = []
  let running = false

  const flush: Effect.Effect<void> = Effect.gen(function* () {
    while (true) {
      const group = waiting.splice(0, nextGroup(waiting.map(one => weight(one.item))))
      if (group.length === 0) {
        // In the same breath as the look: whoever comes next starts anew and is not left waiting.
        running = false
        return
      }
      const together = yield* Effect.exit(commit(group.map(one => one.item)))
      if (group.length === 1 || !isOneItemsFault(together)) {
        for (const { done } of group) yield* Deferred.done(done, together)
        continue
      }
      for (const { item, done } of group) yield* Deferred.done(done, yield* Effect.exit(commit([item])))
    }
  })

  return {
    add: item =>
      Effect.gen(function* () {
        const done = yield* Deferred.make<void, StorageError>()
        waiting.push({ item, done })
        if (!running) {
          running = true
          // Whoever comes first carries the group; interrupting it must not leave the others waiting.
          yield* Effect.forkDetach(flush)
        }
        return yield* Deferred.await(done)
      }),
  }
}

/** A store that is away is away for all of them: trying each would only make everybody wait. */
const isOneItemsFault = (exit: Exit.Exit<void, StorageError>): boolean =>
  Exit.isFailure(exit) &&
  exit.cause.reasons.some(
    reason => Cause.isDieReason(reason) || (Cause.isFailReason(reason) && reason.error.fault === "message"),
  )

/** How many of the first items fit into one group; at least one. */
const nextGroup = (weights: ReadonlyArray<number>): number => {
  let total = 0
  const first = weights.findIndex(weight => {
    total += weight
    return total > weightMax
  })
  return first === -1 ? weights.length : Math.max(1, first)
}
