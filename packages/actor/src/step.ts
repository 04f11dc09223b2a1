/**
 * The middle of a batch: decide, evolve, react, message by message, in order. Pure but for the one fact query. A throw in
 * `decide`, `evolve` or `react` is the message's own fault and makes it a dead letter; later inputs of its key are parked.
 * What throws beside a single message (facts, guards) fails the batch, and the partition finds the message by halving.
 */
import { Clock, Effect, Schema } from "effect"
import { Collector, type Placement } from "./collector.ts"
import type { ActorEffect, ActorKind, ActorKindName, FactRequest, Input } from "./definition.ts"
import { derivedId } from "./ids.ts"
import { type BatchInput, decodeInput } from "./input.ts"
import type { BatchHead, BatchTx, PartitionId, StoredState } from "./partition-store.ts"
import type { StorageError } from "./ports.ts"
import { checkSendable } from "./sendable.ts"

export type ActorPlacement = Placement & { readonly at: PartitionId & { readonly kind: ActorKindName } }

/** What to write, and how many of the inputs it handles: a batch may be cut short. */
export interface Stepped {
  readonly collector: Collector
  readonly handled: number
}

/** A newer version of this program wrote it: nobody's fault, and nothing this process can do. */
export class NewerSchema extends Schema.TaggedError<NewerSchema>()("NewerSchema", { message: Schema.String }) {}

export const parkedReason = "an earlier message of this actor cannot be handled"

/** Deciding holds up everything else in the process for this long at most, then others have a turn. */
const turnMilliseconds = 20
/** The rest is the next batch's: well below the session's idle limit, which ends a transaction that waits for us. */
const decideMillisecondsMax = 1_000

export const documentStep = Effect.fnUntraced(function* (
  kind: ActorKind<any, any, any, any>,
  placement: ActorPlacement,
  head: BatchHead,
  batch: BatchTx,
  inputs: ReadonlyArray<BatchInput>,
): Effect.fn.Return<Stepped, StorageError | NewerSchema> {
  const collector = new Collector(placement, head)
  const loaded = yield* batch.load([...new Set(inputs.map(input => input.key))])
  const { states, unreadable } = yield* readStates(kind, loaded.states.values())
  const decoded = inputs.map(input => decodeInput(kind.kind, input))
  const requests = requestsOf(inputs, decoded, states, loaded.stopped)
  const facts = yield* kind.facts(batch.tx, requests, head.now)
  const superseded = coalesced(kind, inputs, decoded)
  const stopped = new Set(loaded.stopped)

  const begun = yield* Clock.currentTimeMillis
  let turn = begun
  let handled = 0
  for (const [i, input] of inputs.entries()) {
    const clock = yield* Clock.currentTimeMillis
    if (handled > 0 && clock - begun > decideMillisecondsMax) break
    if (clock - turn > turnMilliseconds) {
      yield* Effect.yieldNow
      turn = yield* Clock.currentTimeMillis
    }
    const fact = facts.get(input.key)
    if (handled > 0 && kind.guardedBy !== undefined && collector.holds(kind.guardedBy(fact))) break
    handled++
    const one = decoded[i]
    if (stopped.has(input.key)) {
      collector.close(input, "parked", { reason: parkedReason })
      continue
    }
    if (input.timer !== undefined && collector.overtaken(input.timer)) {
      collector.close(input, "coalesced")
      continue
    }
    const problem = one?._tag === "Bad" ? one.reason : unreadable.get(input.key)
    if (problem !== undefined || one?._tag !== "Decoded") {
      collector.close(input, "dead", { reason: problem ?? "not decoded" })
      stopped.add(input.key)
      continue
    }
    const before = states.get(input.key)
    // The one that makes the actor is decided in any case: what stands between it and the last must not find nobody.
    if (superseded.has(i) && before !== undefined) {
      collector.close(input, "coalesced")
      continue
    }
    try {
      const after = decideOne(kind, before, input, one.value as Input<any>, fact, head)
      if (after.refused !== undefined) {
        collector.close(input, "refused", { reason: after.refused })
        continue
      }
      for (const { effect, id } of after.effects) collector.carryOut(input, effect, id)
      if (after.events.length > 0) {
        states.set(input.key, { state: after.state, version: after.version })
        collector.states.set(input.key, {
          key: input.key,
          workspaceId: input.workspaceId,
          state: after.state,
          version: after.version,
          schemaVersion: kind.stateSchemaVersion,
        })
      }
      collector.close(input, "applied", { events: after.events })
    } catch (error) {
      collector.close(input, "dead", { reason: describe(error) })
      stopped.add(input.key)
    }
  }
  return { collector, handled }
})

type States = Map<string, { state: unknown; version: number }>

const readStates = Effect.fnUntraced(function* (
  kind: ActorKind<any, any, any, any>,
  stored: Iterable<StoredState>,
): Effect.fn.Return<{ readonly states: States; readonly unreadable: ReadonlyMap<string, string> }, NewerSchema> {
  const states: States = new Map()
  const unreadable = new Map<string, string>()
  for (const { key, version, schemaVersion, state } of stored) {
    if (schemaVersion > kind.stateSchemaVersion) {
      return yield* new NewerSchema({
        message: `the state of ${kind.kind} ${key} is of version ${schemaVersion}, this process knows ${kind.stateSchemaVersion}`,
      })
    }
    try {
      states.set(key, { state: kind.readState(state, schemaVersion), version })
    } catch (error) {
      unreadable.set(key, `the stored state does not decode: ${describe(error)}`)
    }
  }
  return { states, unreadable }
})

/** One request per key that can be decided at all, with its inputs in order. */
const requestsOf = (
  inputs: ReadonlyArray<BatchInput>,
  decoded: ReadonlyArray<ReturnType<typeof decodeInput>>,
  states: States,
  stopped: ReadonlySet<string>,
): ReadonlyArray<FactRequest<unknown, any>> => {
  const requests = new Map<string, FactRequest<unknown, any> & { inputs: Array<Input<any>> }>()
  inputs.forEach(({ key, workspaceId }, i) => {
    const one = decoded[i]
    if (one?._tag !== "Decoded" || stopped.has(key)) return
    const value = one.value as Input<any>
    const request = requests.get(key)
    if (request !== undefined) request.inputs.push(value)
    else requests.set(key, { key, workspaceId, state: states.get(key)?.state, inputs: [value] })
  })
  return [...requests.values()]
}

export const describe = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error)

/** A fresh-id source for one input; the counter runs over the input's own ids, so a repeat makes the same. */
export const idsOf = (now: number, inputId: string): (() => string) => {
  let counter = 0
  return () => derivedId(now, `${inputId}#${counter++}`)
}

const decideOne = (
  kind: ActorKind<any, any, any, any>,
  before: { readonly state: unknown; readonly version: number } | undefined,
  input: BatchInput,
  value: Input<any>,
  fact: unknown,
  head: BatchHead,
) => {
  if (before === undefined && (value._tag === "Timer" || !kind.creates(value.message))) {
    return { refused: "there is no such actor", effects: [], events: [], state: undefined, version: 0 }
  }
  const id = idsOf(head.now, input.id)
  const moment = { workspaceId: input.workspaceId, key: input.key, now: head.now, id }
  const decision = kind.decide(before?.state, value, fact, moment)
  if (decision._tag === "Refused") {
    return { refused: decision.reason, effects: [], events: [], state: undefined, version: 0 }
  }
  let state = before?.state
  const effects: Array<{ effect: ActorEffect; id: () => string }> = []
  for (const event of decision.events) {
    state = kind.evolve(state, event, moment)
    for (const effect of kind.react(state, event, moment)) {
      checkSendable(effect)
      effects.push({ effect, id })
    }
  }
  return { refused: undefined, effects, events: decision.events, state, version: (before?.version ?? 0) + 1 }
}

/** Indexes of level-triggered messages that a later equal one of the same key makes superfluous. */
const coalesced = (
  kind: ActorKind<any, any, any, any>,
  inputs: ReadonlyArray<BatchInput>,
  decoded: ReadonlyArray<ReturnType<typeof decodeInput>>,
): ReadonlySet<number> => {
  const superfluous = new Set<number>()
  const last = new Set<string>()
  for (let i = inputs.length - 1; i >= 0; i--) {
    const one = decoded[i]
    const input = inputs[i]
    if (input === undefined || one?._tag !== "Decoded") continue
    const value = one.value as Input<any>
    if (value._tag !== "Message" || input.receipt || kind.coalesces?.(value.message) !== true) continue
    if (last.has(input.key)) superfluous.add(i)
    last.add(input.key)
  }
  return superfluous
}
