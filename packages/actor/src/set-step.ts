/**
 * The middle of a batch for a kind whose state is rows: the whole batch at once, set-based, in the batch's transaction. A
 * throw does not say which message is at fault; the partition finds it by halving the batch.
 */
import { Effect } from "effect"
import { Collector } from "./collector.ts"
import type { SetActorKind } from "./definition.ts"
import { type BatchInput, decodeInput } from "./input.ts"
import type { BatchHead, BatchTx } from "./partition-store.ts"
import type { StorageError } from "./ports.ts"
import { checkSendable } from "./sendable.ts"
import { type ActorPlacement, idsOf, parkedReason, type Stepped } from "./step.ts"

// biome-ignore lint/suspicious/noExplicitAny: kinds of different messages run here, and each is only given its own
type AnySetKind = SetActorKind<any>
type AnySetInput = Parameters<AnySetKind["step"]>[1][number]

export const setStep = Effect.fnUntraced(function* (
  kind: AnySetKind,
  placement: ActorPlacement,
  head: BatchHead,
  batch: BatchTx,
  inputs: ReadonlyArray<BatchInput>,
): Effect.fn.Return<Stepped, StorageError> {
  const collector = new Collector(placement, head)
  const { stopped } = yield* batch.load([...new Set(inputs.map(input => input.key))])
  const { readable, bad } = sorted(kind, head, inputs, new Set(stopped))
  const outcomes =
    readable.size === 0 ? [] : yield* Effect.suspend(() => kind.step(batch.tx, [...readable.values()], head.now))
  for (const outcome of outcomes) outcome.effects.forEach(checkSendable)

  const byInput = new Map([...readable.keys()].map((input, i) => [input, outcomes[i]]))
  for (const input of inputs) {
    const reason = bad.get(input)
    const id = readable.get(input)?.id
    const outcome = byInput.get(input)
    if (reason !== undefined) collector.close(input, "dead", { reason })
    else if (id === undefined) collector.close(input, "parked", { reason: parkedReason })
    else if (outcome?.refused !== undefined) collector.close(input, "refused", { reason: outcome.refused })
    else {
      for (const effect of outcome?.effects ?? []) collector.carryOut(input, effect, id)
      collector.close(input, "applied", { events: outcome?.events ?? [] })
    }
  }
  return { collector, handled: inputs.length }
})

/** What the step is given, and what cannot be read; whatever follows the latter under its key is in neither. */
const sorted = (
  kind: AnySetKind,
  head: BatchHead,
  inputs: ReadonlyArray<BatchInput>,
  stopped: Set<string>,
): { readonly readable: Map<BatchInput, AnySetInput>; readonly bad: Map<BatchInput, string> } => {
  const readable = new Map<BatchInput, AnySetInput>()
  const bad = new Map<BatchInput, string>()
  for (const input of inputs) {
    if (stopped.has(input.key)) continue
    const one = decodeInput(kind.kind, input)
    if (one._tag === "Bad") {
      bad.set(input, one.reason)
      stopped.add(input.key)
      continue
    }
    readable.set(input, {
      key: input.key,
      workspaceId: input.workspaceId,
      input: one.value as AnySetInput["input"],
      correlationId: input.correlationId,
      ...(input.causationId === undefined ? {} : { causationId: input.causationId }),
      id: idsOf(head.now, input.id),
    })
  }
  return { readable, bad }
}
