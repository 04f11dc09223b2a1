/**
 * One batch of one partition, inside one transaction under its row and epoch: what is due and what is next is selected by
 * the marks, decided, and written. Nothing here is published; whoever calls does that once the commit is known.
 */
import { messageSchemaVersion } from "@sluice/protocol/envelope"
import { Effect } from "effect"
import { Collector } from "./collector.ts"
import { reached } from "./crash-point.ts"
import type { AnyActorKind } from "./definition.ts"
import type { Gap, Inbox, Received } from "./inbox.ts"
import { type BatchInput, inputOfMessage, inputOfTimer } from "./input.ts"
import { StepFailed } from "./pace.ts"
import {
  type BatchHead,
  type BatchTx,
  type BatchWrites,
  channelOf,
  type Fenced,
  type PartitionStore,
  type Taken,
} from "./partition-store.ts"
import { StorageError } from "./ports.ts"
import { setStep } from "./set-step.ts"
import { type ActorPlacement, describe, documentStep, NewerSchema } from "./step.ts"

/** A partition that this process owns, as its batches need it. */
export interface Owned {
  readonly actor: AnyActorKind
  readonly taken: Taken
  readonly placement: ActorPlacement
  readonly store: PartitionStore["Service"]
  readonly inbox: Inbox
}

export interface BatchOptions {
  readonly limit: number
  /** Due timers at most; 0 when none can be due. */
  readonly timers: number
  /** Hears what the batch is about to handle, also when it fails after that. */
  readonly selected: (inputs: ReadonlyArray<BatchInput>) => void
}

export interface Batched {
  readonly head: BatchHead
  readonly gaps: ReadonlyArray<Gap>
  /** When the next timer is due, epoch ms of the database; absent when timers were not looked at. */
  readonly timerDue?: number
  /** Absent when there was nothing to do. */
  readonly done?: { readonly writes: BatchWrites; readonly handled: ReadonlyArray<BatchInput>; readonly all: boolean }
}

export const runBatch = (
  owned: Owned,
  options: BatchOptions,
): Effect.Effect<Batched, StorageError | Fenced | NewerSchema | StepFailed> =>
  Effect.suspend(() => {
    const horizon = owned.inbox.arrivals
    return owned.store.batch(owned.taken, (head, batch) => handle(owned, options, horizon, head, batch))
  }).pipe(
    // A bug that shows on some message: found by halving, like a throw, instead of ending the partition for all.
    Effect.catchDefect(defect =>
      Effect.fail(defect instanceof StorageError ? defect : new StepFailed(describe(defect))),
    ),
  )

const handle = Effect.fnUntraced(function* (
  owned: Owned,
  options: BatchOptions,
  horizon: number,
  head: BatchHead,
  batch: BatchTx,
) {
  const { due, timerDue } = yield* dueTimers(owned, head, batch, options.timers)
  const { next, gaps } = owned.inbox.select(head.marks, Math.max(0, options.limit - due.length), horizon)
  const inputs = [...due, ...next.map(inputOfMessage)]
  const found: Batched = { head, gaps, ...(timerDue === undefined ? {} : { timerDue }) }
  if (inputs.length === 0) return found
  options.selected(inputs)
  yield* refuseNewer(next)
  const { collector, handled } = yield* step(owned, head, batch, inputs)
  yield* reached("batch-decided")
  yield* writeProjections(owned.actor, collector, head, batch)
  const { writes } = collector
  yield* batch.write(writes)
  yield* reached("batch-written")
  return { ...found, done: { writes, handled: inputs.slice(0, handled), all: handled === inputs.length } }
})

const dueTimers = Effect.fnUntraced(function* ({ placement }: Owned, head: BatchHead, batch: BatchTx, limit: number) {
  if (limit === 0) return { due: [], timerDue: undefined }
  const timers = yield* batch.timers(limit + 1)
  const due = timers.filter(timer => timer.dueAt <= head.now).slice(0, limit)
  return {
    due: due.map(timer => inputOfTimer(placement.at.kind, timer)),
    timerDue: timers[due.length]?.dueAt ?? Number.POSITIVE_INFINITY,
  }
})

const refuseNewer = (next: ReadonlyArray<Received>): Effect.Effect<void, NewerSchema> => {
  const newer = next.find(({ envelope }) => envelope.schemaVersion > messageSchemaVersion)?.envelope
  return newer === undefined
    ? Effect.void
    : Effect.fail(new NewerSchema({ message: `message ${newer.id} is of version ${newer.schemaVersion}` }))
}

const step = ({ actor, placement }: Owned, head: BatchHead, batch: BatchTx, inputs: ReadonlyArray<BatchInput>) =>
  actor._tag === "Document"
    ? documentStep(actor.definition, placement, head, batch, inputs)
    : setStep(actor.definition, placement, head, batch, inputs)

const writeProjections = Effect.fnUntraced(function* (
  actor: AnyActorKind,
  collector: Collector,
  head: BatchHead,
  batch: BatchTx,
) {
  if (actor._tag === "Set") return
  for (const [name, rows] of collector.projections) {
    const write = actor.definition.projections[name]
    if (write === undefined) return yield* Effect.die(new Error(`${actor.definition.kind} has no projection "${name}"`))
    yield* write(batch.tx, rows, head.now)
  }
})

/** Makes `input` a dead letter in a batch of its own, unless it was handled after all. Answers what was written. */
export const putAside = (
  { store, taken, placement, inbox }: Owned,
  input: BatchInput,
  reason: string,
): Effect.Effect<BatchWrites | undefined, StorageError | Fenced> =>
  Effect.tap(
    store.batch(taken, (head, batch) =>
      Effect.gen(function* () {
        if (!(yield* isNext(input, head, batch))) return undefined
        const collector = new Collector(placement, head)
        collector.close(input, "dead", { reason })
        yield* batch.write(collector.writes)
        return collector.writes
      }),
    ),
    () => Effect.sync(() => input.received !== undefined && inbox.applied([input.received])),
  )

/** A failed batch may have been committed all the same: its answer was lost. */
const isNext = ({ received, timer }: BatchInput, head: BatchHead, batch: BatchTx) => {
  if (received !== undefined) {
    const { source, number } = received.envelope
    return Effect.succeed(number === (head.marks.get(channelOf(source)) ?? 0) + 1)
  }
  return Effect.map(batch.timers(timersLookedThrough), timers =>
    timers.some(one => one.key === timer?.key && one.name === timer.name && one.dueAt === timer.dueAt),
  )
}

const timersLookedThrough = 1_000 // the one at fault was the first that was due, a moment ago
