/**
 * The middle of a batch: decide, evolve, react, message by message, in order. Pure but for the one fact query. A throw in
 * `decide`, `evolve` or `react` is the message's own fault and makes it a dead letter; later inputs of its key are parked.
 */
import { Cause, Effect } from "effect"
import { Collector, checkSize, type Placement } from "./collector.ts"
import type { ActorEffect, ActorKind, ActorKindName, FactRequest, Input, SetActorKind, SetInput } from "./definition.ts"
import { derivedId } from "./ids.ts"
import { type BatchInput, decodeInput } from "./input.ts"
import type { BatchHead, BatchTx, PartitionId } from "./partition-store.ts"
import type { StorageError } from "./ports.ts"

type ActorPlacement = Placement & { readonly at: PartitionId & { readonly kind: ActorKindName } }

/** Handles a prefix of `inputs`; answers what to write and how many were handled (a batch may be cut at a guard row). */
export const documentStep = Effect.fnUntraced(function* (
  kind: ActorKind<any, any, any, any>,
  placement: ActorPlacement,
  head: BatchHead,
  batch: BatchTx,
  inputs: ReadonlyArray<BatchInput>,
): Effect.fn.Return<{ readonly collector: Collector; readonly handled: number }, StorageError> {
  const collector = new Collector(placement, head)
  const loaded = yield* batch.load([...new Set(inputs.map(input => input.key))])
  const states = new Map<string, { state: unknown; version: number }>()
  const unreadable = new Map<string, string>()
  for (const [key, stored] of loaded.states) {
    try {
      states.set(key, { state: kind.readState(stored.state, stored.schemaVersion), version: stored.version })
    } catch (error) {
      unreadable.set(key, `the stored state does not decode: ${String(error)}`)
    }
  }
  const decoded = inputs.map(input => decodeInput(kind.kind, input))
  const requests = new Map<string, FactRequest<unknown, any> & { inputs: Array<Input<any>> }>()
  inputs.forEach((input, i) => {
    const one = decoded[i]
    if (one?._tag !== "Decoded" || loaded.stopped.has(input.key)) return
    const request = requests.get(input.key)
    if (request !== undefined) request.inputs.push(one.value as Input<any>)
    else
      requests.set(input.key, {
        key: input.key,
        workspaceId: input.workspaceId,
        state: states.get(input.key)?.state,
        inputs: [one.value as Input<any>],
      })
  })
  const facts = yield* kind.facts(batch.tx, [...requests.values()], head.now)
  const superseded = coalesced(kind, inputs, decoded)
  const stopped = new Set(loaded.stopped)

  let handled = 0
  for (const [i, input] of inputs.entries()) {
    const fact = facts.get(input.key)
    if (handled > 0 && kind.guardedBy !== undefined && collector.holds(kind.guardedBy(fact))) break
    handled++
    const one = decoded[i]
    if (stopped.has(input.key)) {
      collector.close(input, "parked", { reason: "an earlier message of this actor cannot be handled" })
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
    if (superseded.has(i)) {
      collector.close(input, "coalesced")
      continue
    }
    const before = states.get(input.key)
    const value = one.value as Input<any>
    if (before === undefined && (value._tag === "Timer" || !kind.creates(value.message))) {
      collector.close(input, "refused", { reason: "there is no such actor" })
      continue
    }
    try {
      const after = decideOne(kind, before, input, value, fact, head)
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

const describe = (error: unknown): string =>
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
      checkSize(effect)
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

/** The set-based step: the whole batch at once. A throw is found by the loop, which halves the batch. */
export const setStep = Effect.fnUntraced(function* (
  kind: SetActorKind<any>,
  placement: ActorPlacement,
  head: BatchHead,
  batch: BatchTx,
  inputs: ReadonlyArray<BatchInput>,
): Effect.fn.Return<{ readonly collector: Collector; readonly handled: number }, StorageError | SetStepFailed> {
  const collector = new Collector(placement, head)
  const readable: Array<{ input: BatchInput; set: SetInput<any> }> = []
  const bad = new Map<BatchInput, string>()
  const { stopped } = yield* batch.load([...new Set(inputs.map(input => input.key))])
  for (const input of inputs) {
    const one = decodeInput(kind.kind, input)
    if (stopped.has(input.key)) continue
    if (one._tag === "Bad") bad.set(input, one.reason)
    else
      readable.push({
        input,
        set: {
          key: input.key,
          workspaceId: input.workspaceId,
          input: one.value as Input<any>,
          correlationId: input.correlationId,
          ...(input.causationId === undefined ? {} : { causationId: input.causationId }),
          id: idsOf(head.now, input.id),
        },
      })
  }
  const outcomes = yield* Effect.suspend(() =>
    readable.length === 0
      ? Effect.succeed([])
      : kind.step(
          batch.tx,
          readable.map(one => one.set),
          head.now,
        ),
  ).pipe(
    Effect.catchCause(cause => {
      if (Cause.hasInterruptsOnly(cause)) return Effect.interrupt
      const failure = Cause.squash(cause)
      return Effect.fail(isStorageError(failure) ? failure : new SetStepFailed(describe(failure)))
    }),
  )
  yield* Effect.try({
    try: () => {
      for (const outcome of outcomes) for (const effect of outcome.effects) checkSize(effect)
    },
    catch: error => new SetStepFailed(describe(error)),
  })
  const byInput = new Map(readable.map((one, i) => [one.input, { outcome: outcomes[i], id: one.set.id }]))
  for (const input of inputs) {
    const reason = bad.get(input)
    const done = byInput.get(input)
    if (reason !== undefined) collector.close(input, "dead", { reason })
    else if (done === undefined) {
      collector.close(input, "parked", { reason: "an earlier message of this actor cannot be handled" })
    } else if (done.outcome?.refused !== undefined) {
      collector.close(input, "refused", { reason: done.outcome.refused })
    } else {
      for (const effect of done.outcome?.effects ?? []) collector.carryOut(input, effect, done.id)
      collector.close(input, "applied", { events: done.outcome?.events ?? [] })
    }
  }
  return { collector, handled: inputs.length }
})

const isStorageError = (error: unknown): error is StorageError =>
  typeof error === "object" && error !== null && (error as { _tag?: unknown })._tag === "StorageError"

/** The step itself threw: some message of the batch is at fault. */
export class SetStepFailed {
  readonly _tag = "SetStepFailed"
  readonly message: string
  constructor(message: string) {
    this.message = message
  }
}
