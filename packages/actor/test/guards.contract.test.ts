/** Guard rows: a bound over many actors holds although their partitions decide at the same time, each on its own snapshot. */
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { expect } from "vitest"
import { type ActorKind, events } from "../src/definition.ts"
import { installation, reconcile, rowsOf, say, silently, until } from "./processes.ts"

const startedMax = 3
const guard = "at most three"

interface Started {
  readonly started: boolean
}
type Message = { readonly type: string; readonly body: { readonly reason: string } }
type Event = { readonly _tag: "Looked" } | { readonly _tag: "Started" }

/** Starts when fewer than three have, by the facts of its batch; looks without starting otherwise. */
const cappedActor: ActorKind<Started, Message, number, Event> = {
  kind: "target",
  stateSchemaVersion: 1,
  readState: stored => stored as Started,
  creates: message => message.type === "Reconcile",
  facts: (tx, requests) =>
    Effect.map(
      tx.query<{ count: number }>(
        "SELECT count(*) AS count FROM actor_state WHERE kind = 'target' AND (state->>'started')::boolean",
      ),
      ([row]) => new Map(requests.map(request => [request.key, row?.count ?? 0])),
    ),
  decide: (_, __, count = startedMax) => events<Event>({ _tag: count < startedMax ? "Started" : "Looked" }),
  evolve: (state, event) => ({ started: state?.started === true || event._tag === "Started" }),
  react: (_, event) => (event._tag === "Started" ? [{ _tag: "Guard", name: guard, mode: "update" }] : []),
  guardedBy: () => [guard],
  projections: {},
}

describe("actors of several partitions under one bound", () => {
  it.live(
    "start no more than it allows, whichever batches meet",
    () =>
      Effect.gen(function* () {
        const { process } = yield* installation
        const one = yield* process("one", { actors: [{ _tag: "Document", definition: cappedActor }] })
        yield* Effect.gen(function* () {
          const keys = Array.from({ length: 80 }, (_, i) => `k${i}`)
          yield* say(...keys.map(key => reconcile(key, "go")))
          yield* until("all to have looked", rowsOf("SELECT 1 FROM actor_state"), rows => rows.length === keys.length)
          const partitions = yield* rowsOf("SELECT DISTINCT partition FROM actor_state")
          expect(partitions.length).toBe(4)
          const started = yield* rowsOf("SELECT key FROM actor_state WHERE (state->>'started')::boolean")
          expect(started.length).toBe(startedMax)
        }).pipe(Effect.provideContext(one.context))
      }).pipe(Effect.scoped, silently),
    30_000,
  )
})
