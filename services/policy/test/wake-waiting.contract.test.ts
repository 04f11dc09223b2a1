import { randomUUID } from "node:crypto"
import { expect, layer } from "@effect/vitest"
import { Door, type DoorMessage } from "@sluice/actor/door"
import { Storage } from "@sluice/actor/ports"
import type { Outgoing } from "@sluice/protocol/envelope"
import { testStore } from "@sluice/testkit/shared"
import { Effect } from "effect"
import { wakeChunk, wakeWaiting } from "../src/handle.ts"

/** A door that keeps what goes through it: what a real one does with it is its own test. */
const openDoor = (through: Array<DoorMessage>) =>
  Door.of({
    commit: (_workspaceId, work) =>
      Effect.gen(function* () {
        const { query } = yield* Effect.succeed({ query: () => Effect.die("the activity writes no rows of its own") })
        const { value, messages } = yield* work({ query })
        through.push(...messages)
        return { value, messageIds: messages.map(() => randomUUID()) }
      }),
    post: () => Effect.die("the activity answers, and posts nothing"),
    complete: () => Effect.die("the runtime completes, not the activity"),
    ask: () => Effect.die("the activity asks for no receipt"),
  })

const wakes = Effect.fnUntraced(function* (workspaceId: string, subjects: ReadonlyArray<string>) {
  const committed: Array<DoorMessage> = []
  const payload = { subjects, reason: "approved" }
  const work = { id: "w", key: "k", workspaceId, correlationId: "c", delivery: 1, payload }
  const outcome = yield* Effect.provideService(wakeWaiting.run(work), Door, openDoor(committed))
  if (outcome._tag !== "Done") return yield* Effect.die(new Error(`ended ${outcome._tag}`))
  const last = wakeWaiting.outcomes.Done(work, outcome.result)
  return { messages: [...committed, ...last] as ReadonlyArray<Outgoing>, atOnce: last.length }
})

const register = (workspaceId: string, waits: ReadonlyArray<readonly [target: string, subject: string]>) =>
  Effect.flatMap(Storage, storage =>
    storage.query(
      "INSERT INTO wait (workspace_id, target_key, subject) SELECT $1, * FROM unnest($2::text[], $3::text[])",
      [workspaceId, waits.map(wait => wait[0]), waits.map(wait => wait[1])],
    ),
  )

layer(testStore, { excludeTestServices: true })("a recorded fact", it => {
  it.effect("wakes each target that waits on one of its subjects, once, and no other", () =>
    Effect.gen(function* () {
      const [mine, other] = [randomUUID(), randomUUID()]
      yield* register(mine, [
        ["t1", "approval:a"],
        ["t1", "progression:a"],
        ["t2", "progression:a"],
        ["t3", "approval:b"],
      ])
      yield* register(other, [["t9", "approval:a"]])
      const { messages } = yield* wakes(mine, ["approval:a", "progression:a"])
      const expected = { kind: "target", workspaceId: mine, type: "Reconcile", body: { reason: "approved" } }
      expect(messages).toEqual([
        { ...expected, key: "t1" },
        { ...expected, key: "t2" },
      ])
    }),
  )

  it.effect("wakes nobody when nobody waits on it", () =>
    Effect.gen(function* () {
      expect((yield* wakes(randomUUID(), ["approval:a"])).messages).toEqual([])
      expect((yield* wakes(randomUUID(), [])).messages).toEqual([])
    }),
  )

  it.effect("wakes very many in commits of bounded size", () =>
    Effect.gen(function* () {
      const workspaceId = randomUUID()
      const targets = Array.from({ length: 2 * wakeChunk + 1 }, (_, n) => `t${String(n).padStart(5, "0")}`)
      yield* register(
        workspaceId,
        targets.map(target => [target, "rollout:a"] as const),
      )
      const { messages, atOnce } = yield* wakes(workspaceId, ["rollout:a"])
      expect(messages.map(message => message.key)).toEqual(targets)
      expect(atOnce).toBe(1)
    }),
  )
})
