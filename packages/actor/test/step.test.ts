// The middle of a batch, on hand-made kinds: what is decided, what is put aside, and where a batch is cut.
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { type ActorEffect, type ActorKind, events, type Input, refused, type SetActorKind } from "../src/definition.ts"
import { type BatchInput, inputOfMessage, inputOfTimer } from "../src/input.ts"
import type { BatchTx, StoredState } from "../src/partition-store.ts"
import { keyBytesMax, payloadBytesMax } from "../src/sendable.ts"
import { setStep } from "../src/set-step.ts"
import { documentStep } from "../src/step.ts"

const workspaceId = "11111111-1111-4111-8111-111111111111"
const now = 1_000_000
const head = { now, marks: new Map(), drawn: new Map(), journalSequence: 0 }
const placement = { at: { kind: "target", partition: 0 }, partitions: 4, incarnation: 1 } as const

/** What the batch finds stored. */
const stored = (states: ReadonlyArray<StoredState> = [], stopped: ReadonlyArray<string> = []): BatchTx => ({
  tx: { query: () => Effect.succeed([]) },
  timers: () => Effect.succeed([]),
  load: () => Effect.succeed({ states: new Map(states.map(one => [one.key, one])), stopped: new Set(stopped) }),
  write: () => Effect.void,
})
const made = (key: string, heard: ReadonlyArray<string> = []): StoredState => ({
  key,
  version: 1,
  schemaVersion: 1,
  state: heard,
})

let number = 0
const message = (key: string, body: unknown, type = "Reconcile"): BatchInput =>
  inputOfMessage({
    envelope: {
      id: `m${++number}`,
      schemaVersion: 1,
      source: { kind: "door", partition: 0, incarnation: 1 },
      number,
      workspaceId,
      kind: "target",
      partition: 0,
      key,
      type,
      sentAt: 0,
      correlationId: "c",
      body,
    },
    storedAt: number,
    bytes: 1,
  })
const reconcile = (key: string, reason: string) => message(key, { reason })
/** Decodes as a message of the catalogue, and creates nobody. */
const lost = (key: string) =>
  message(key, { jobSetId: "s", jobId: "j", lastSeenAt: 1, message: "nobody knows" }, "JobLost")
const timer = (key: string, name: string) =>
  inputOfTimer("target", { key, name, workspaceId, dueAt: now - 1, payload: {} })

type Message = { readonly type: string; readonly body: { readonly reason?: string } }
type Kind = ActorKind<ReadonlyArray<string>, Message, ReadonlyArray<string>, string>

/** Hears reasons; what follows from one is looked up by `effects`. */
const kind = (
  more: Partial<Kind> & { readonly effects?: Readonly<Record<string, ReadonlyArray<ActorEffect>>> },
): Kind => ({
  kind: "target",
  stateSchemaVersion: 1,
  readState: state => {
    if (!Array.isArray(state)) throw new Error("no list")
    return state as ReadonlyArray<string>
  },
  creates: one => one.type === "Reconcile",
  facts: () => Effect.succeed(new Map()),
  decide: (_, input: Input<Message>) => {
    const word = input._tag === "Timer" ? `rang ${input.name}` : (input.message.body.reason ?? input.message.type)
    if (word === "throw") throw new Error("out of order")
    return word === "refuse" ? refused("no") : events(word)
  },
  evolve: (state, event) => [...(state ?? []), event],
  react: (_, event) => more.effects?.[event] ?? [],
  projections: {},
  ...more,
})

const run = (definition: Kind, batch: BatchTx, inputs: ReadonlyArray<BatchInput>) =>
  Effect.map(documentStep(definition, placement, head, batch, inputs), ({ collector, handled }) => ({
    handled,
    writes: collector.writes,
    outcomes: collector.writes.journal.map(row => row.outcome),
    stateOf: (key: string) => collector.states.get(key)?.state,
  }))

describe("a batch of level-triggered messages", () => {
  const coalescing = kind({ coalesces: one => one.type === "Reconcile" })

  it.effect("decides only the last one of a key, and remembers that it has seen the others", () =>
    Effect.gen(function* () {
      const inputs = ["a", "b", "c"].map(reason => reconcile("k", reason))
      const { outcomes, stateOf, writes } = yield* run(coalescing, stored([made("k")]), inputs)
      expect(outcomes).toEqual(["coalesced", "coalesced", "applied"])
      expect(stateOf("k")).toEqual(["c"])
      expect(writes.marks).toEqual([{ kind: "door", partition: 0, incarnation: 1, applied: number }])
    }),
  )

  it.effect("does not leave out the one that makes the actor: what comes between would find nobody", () =>
    Effect.gen(function* () {
      const inputs = [reconcile("new", "a"), lost("new"), reconcile("new", "b"), reconcile("new", "c")]
      const { outcomes, stateOf } = yield* run(coalescing, stored(), inputs)
      expect(outcomes).toEqual(["applied", "applied", "coalesced", "applied"])
      expect(stateOf("new")).toEqual(["a", "JobLost", "c"])
    }),
  )
})

describe("a message to an actor that does not exist", () => {
  it.effect("is refused unless it creates one, and so is a timer that outlived its actor", () =>
    Effect.gen(function* () {
      const { outcomes, writes } = yield* run(kind({}), stored(), [lost("x"), timer("x", "bell"), reconcile("x", "a")])
      expect(outcomes).toEqual(["refused", "refused", "applied"])
      expect(writes.timersGone).toEqual([{ key: "x", name: "bell" }])
    }),
  )
})

describe("a timer that is due", () => {
  const bell = (dueAt: number): ActorEffect => ({ _tag: "SetTimer", name: "bell", dueAt })

  it.effect("does not fire when an earlier input of the batch moved it, and keeps its new time", () =>
    Effect.gen(function* () {
      const moving = kind({ effects: { "rang alarm": [bell(now + 5_000)] } })
      const inputs = [timer("k", "alarm"), timer("k", "bell")]
      const { outcomes, stateOf, writes } = yield* run(moving, stored([made("k")]), inputs)
      expect(outcomes).toEqual(["applied", "coalesced"])
      expect(stateOf("k")).toEqual(["rang alarm"])
      expect(writes.timersSet.map(one => one.dueAt)).toEqual([now + 5_000])
      expect(writes.timersGone).toEqual([{ key: "k", name: "alarm" }])
    }),
  )

  it.effect("does not fire when an earlier input of the batch cancelled it", () =>
    Effect.gen(function* () {
      const cancelling = kind({ effects: { "rang alarm": [{ _tag: "CancelTimer", name: "bell" }] } })
      const inputs = [timer("k", "alarm"), timer("k", "bell")]
      const { outcomes, writes } = yield* run(cancelling, stored([made("k")]), inputs)
      expect(outcomes).toEqual(["applied", "coalesced"])
      expect(writes.timersSet).toEqual([])
    }),
  )

  it.effect("can set itself again", () =>
    Effect.gen(function* () {
      const repeating = kind({ effects: { "rang bell": [bell(now + 1)] } })
      const { writes } = yield* run(repeating, stored([made("k")]), [timer("k", "bell")])
      expect(writes.timersSet.map(one => one.dueAt)).toEqual([now + 1])
      expect(writes.timersGone).toEqual([])
    }),
  )

  it.effect("is parked with the rest when its actor is stopped, and its row goes", () =>
    Effect.gen(function* () {
      const inputs = [timer("k", "bell"), reconcile("k", "a")]
      const { outcomes, writes } = yield* run(kind({}), stored([made("k")], ["k"]), inputs)
      expect(outcomes).toEqual(["parked", "parked"])
      expect(writes.deadLetters.map(one => [one.parked, one.sequence])).toEqual([
        [true, 1],
        [true, 2],
      ])
      expect(writes.timersGone).toEqual([{ key: "k", name: "bell" }])
    }),
  )
})

describe("a message that cannot be handled", () => {
  it.effect("stops its actor in the same batch and nobody else", () =>
    Effect.gen(function* () {
      const inputs = [reconcile("k", "a"), reconcile("k", "throw"), reconcile("k", "b"), reconcile("other", "c")]
      const { outcomes, stateOf, writes } = yield* run(kind({}), stored(), inputs)
      expect(outcomes).toEqual(["applied", "dead", "parked", "applied"])
      expect(stateOf("k")).toEqual(["a"])
      expect(writes.deadLetters.map(one => one.parked)).toEqual([false, true])
    }),
  )

  it.effect("leaves nothing of itself behind: neither its effects nor the numbers drawn for them", () =>
    Effect.gen(function* () {
      const to = (key: string, body: unknown): ActorEffect => ({
        _tag: "Send",
        kind: "job",
        workspaceId,
        key,
        type: "StartJobs",
        body,
      })
      const sending = kind({
        effects: {
          large: [to("j", {}), to("j", "x".repeat(payloadBytesMax))],
          spaced: [to("j", {}), to("not a subject", {})],
          long: [to("j", {}), to("j".repeat(keyBytesMax + 1), {})],
          empty: [to("j", {}), to("a..b", {})],
        },
      })
      for (const reason of ["large", "spaced", "long", "empty"]) {
        const { outcomes, writes } = yield* run(sending, stored(), [reconcile("k", reason)])
        expect([reason, ...outcomes]).toEqual([reason, "dead"])
        expect([writes.outbox, writes.drawn, writes.states]).toEqual([[], [], []])
      }
    }),
  )

  it.effect("is one whose stored state does not decode, but not one that a newer version wrote", () =>
    Effect.gen(function* () {
      const broken = { ...made("k"), state: "no list" }
      expect((yield* run(kind({}), stored([broken]), [reconcile("k", "a")])).outcomes).toEqual(["dead"])
      const newer = { ...made("k"), schemaVersion: 2 }
      const failed = yield* Effect.flip(run(kind({}), stored([newer]), [reconcile("k", "a")]))
      expect(failed._tag).toBe("NewerSchema")
    }),
  )
})

describe("a batch whose messages share a guard row", () => {
  it.effect("is cut before the second one, which must see what the first one's commit changed", () =>
    Effect.gen(function* () {
      const guarded = kind({
        effects: {
          start: [{ _tag: "Guard", name: "cap", mode: "update" }],
          look: [{ _tag: "Guard", name: "cap", mode: "share" }],
        },
        facts: () => Effect.succeed(new Map([["a", ["cap"]] as const, ["b", ["cap"]] as const, ["c", []] as const])),
        guardedBy: facts => facts ?? [],
      })
      const starts = [
        reconcile("c", "start"),
        reconcile("c", "start"),
        reconcile("a", "start"),
        reconcile("b", "start"),
      ]
      expect((yield* run(guarded, stored(), starts)).handled).toBe(2)
      const looks = [reconcile("a", "look"), reconcile("b", "look")]
      expect((yield* run(guarded, stored(), looks)).handled).toBe(2)
    }),
  )
})

describe("a set-based batch", () => {
  const heard: Array<string> = []
  const set: SetActorKind<Message> = {
    kind: "target",
    step: (_, batch) =>
      Effect.sync(() =>
        batch.map(({ input }) => {
          if (input._tag === "Message") heard.push(input.message.body.reason ?? "")
          return { events: [], effects: [] }
        }),
      ),
  }

  it.effect("parks what follows a message that does not decode, and hands on the rest", () =>
    Effect.gen(function* () {
      heard.length = 0
      const inputs = [
        reconcile("k", "a"),
        message("k", { reason: 7 }),
        reconcile("k", "b"),
        reconcile("other", "c"),
        reconcile("stopped", "d"),
      ]
      const { collector } = yield* setStep(set, placement, head, stored([], ["stopped"]), inputs)
      expect(collector.writes.journal.map(row => row.outcome)).toEqual([
        "applied",
        "dead",
        "parked",
        "applied",
        "parked",
      ])
      expect(heard).toEqual(["a", "c"])
    }),
  )
})
