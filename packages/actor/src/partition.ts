/**
 * One owned partition: reads its subject, and commits batch after batch under its row and epoch. The loop below is the
 * whole story: read, commit a batch (`batch.ts`), publish, and wait for a message or a timer. What follows from a failure is
 * decided in `pace.ts`. Whoever loses the epoch stands down.
 */
import { Envelope } from "@sluice/protocol/envelope"
import { streams, subjects } from "@sluice/protocol/subjects"
import { Clock, Deferred, Effect, Exit, Latch, Metric, Option, Schema, type Scope, type Semaphore } from "effect"
import { Asking, gapPatience } from "./asking.ts"
import { type Batched, type Owned, putAside, runBatch } from "./batch.ts"
import { reached } from "./crash-point.ts"
import type { ActorKindName, AnyActorKind } from "./definition.ts"
import { Inbox } from "./inbox.ts"
import type { BatchInput } from "./input.ts"
import { batchSeconds, deadLettersTotal, evaluationsTotal, redeliveriesTotal } from "./metrics.ts"
import { deadLettersPerMinuteMax, Pace, type StepFailed } from "./pace.ts"
import { type BatchWrites, type Fenced, PartitionStore, type Taken } from "./partition-store.ts"
import { Bus, type StorageError } from "./ports.ts"
import type { Relay } from "./relay.ts"
import type { NewerSchema } from "./step.ts"

/** Read again this much before the newest applied message: publishers' commits and the broker's storing may overlap. */
const readMargin = 5_000
/** A partition looks at its timers at least this often: the local clock may have been set. */
const idleMax = 60_000

/** Lost: somebody else owns it, or the scope closed. Newer: it holds what only a newer version of this program can read. */
export type Ending = "lost" | "newer"

export interface Partition {
  readonly taken: Taken
  readonly done: Deferred.Deferred<Ending>
  /** Epoch ms of the last pass through the loop; a stuck loop is seen by its age. */
  readonly lastPass: () => number
  readonly backlog: () => number
  readonly problem: () => string | undefined
}

const decodeEnvelope = Schema.decodeUnknownExit(Envelope)
const textDecoder = new TextDecoder()

/**
 * Starts the loop of a partition just taken, in the caller's scope. `turns` are the batches of the process at one time:
 * what arrives while a partition waits for its turn goes with the same commit.
 */
export const runPartition = Effect.fnUntraced(function* (
  actor: AnyActorKind,
  taken: Taken,
  relay: Relay,
  turns: Semaphore.Semaphore,
): Effect.fn.Return<Partition, never, Bus | PartitionStore | Scope.Scope> {
  const bus = yield* Bus
  const store = yield* PartitionStore
  const kind: ActorKindName = actor.definition.kind
  const name = `${kind} partition ${taken.partition}`
  const inbox = new Inbox()
  const pace = new Pace()
  const asking = new Asking()
  const wake = yield* Latch.make(true)
  const done = yield* Deferred.make<Ending>()
  const placement = {
    at: { kind, partition: taken.partition },
    partitions: store.installation.partitions,
    incarnation: store.installation.incarnation,
  }
  const owned: Owned = { actor, taken, placement, store, inbox }
  let readFrom = taken.readFrom
  let nextTimerDue = 0 // 0: unknown, ask
  let clockOffset = 0 // database minus local, ms
  let lastPass = yield* Clock.currentTimeMillis
  let problem: string | undefined
  let attempted: ReadonlyArray<BatchInput> = []
  let stopped = false

  const onDelivery = (delivery: { data: Uint8Array; storedAt: number }): void => {
    const exit = decodeEnvelope(safeJson(delivery.data))
    // Only services publish to mailboxes: what is not an envelope for this partition is nobody's message.
    if (Exit.isFailure(exit)) return
    const envelope = exit.value
    if (envelope.kind !== kind || envelope.partition !== taken.partition) return
    if (envelope.source.incarnation !== placement.incarnation) return
    inbox.add({ envelope, storedAt: delivery.storedAt, bytes: delivery.data.length })
    wake.openUnsafe()
  }

  /** One batch; answers whether there is more to do at once. */
  const pass = Effect.fnUntraced(function* () {
    lastPass = yield* Clock.currentTimeMillis
    attempted = []
    const timersDue = nextTimerDue <= lastPass + clockOffset
    if (inbox.size === 0 && !timersDue) return false
    const batched = yield* runBatch(owned, {
      limit: pace.limit,
      timers: timersDue ? pace.timers : 0,
      selected: inputs => {
        attempted = inputs
      },
    })
    const now = yield* Clock.currentTimeMillis
    clockOffset = batched.head.now - now
    nextTimerDue = batched.timerDue ?? nextTimerDue
    problem = undefined
    pace.succeeded(attempted.length, now - lastPass)
    for (const gap of asking.due(batched.gaps, now)) yield* relay.ask(gap.source, placement.at, gap.from)
    if (batched.done === undefined) return false
    yield* committed(batched.done)
    yield* Metric.update(Metric.withAttributes(batchSeconds, { kind }), (now - lastPass) / 1_000)
    return inbox.size > 0 || nextTimerDue <= batched.head.now
  })

  const committed = Effect.fnUntraced(function* ({ writes, handled, all }: NonNullable<Batched["done"]>) {
    yield* reached("batch-committed")
    inbox.applied(handled.flatMap(input => input.received ?? []))
    readFrom = Math.max(readFrom, writes.readFrom)
    for (const timer of writes.timersSet) nextTimerDue = Math.min(nextTimerDue, timer.dueAt)
    if (!all) nextTimerDue = 0
    yield* relay.committed({ source: placement.at, ...writes })
    yield* Metric.update(Metric.withAttributes(evaluationsTotal, { kind }), handled.length)
    yield* Metric.update(Metric.withAttributes(redeliveriesTotal, { kind }), inbox.redelivered)
    inbox.redelivered = 0
    yield* countDead(writes)
  })

  const countDead = Effect.fnUntraced(function* ({ deadLetters }: BatchWrites) {
    const dead = deadLetters.filter(one => !one.parked)
    for (const one of dead) yield* Effect.logError(`dead letter in ${name}: ${one.key}: ${one.reason}`)
    if (dead.length === 0) return
    yield* Metric.update(Metric.withAttributes(deadLettersTotal, { kind }), dead.length)
    stopped = pace.dead(dead.length, yield* Clock.currentTimeMillis)
  })

  const recover = Effect.fnUntraced(function* (error: StorageError | StepFailed) {
    nextTimerDue = 0 // the failed batch may have been committed, with timers that nobody told us about
    const next = pace.failed(error, attempted)
    if (next._tag === "PutAside") {
      const writes = yield* putAside(owned, next.input, error.message)
      if (writes === undefined) return
      yield* relay.committed({ source: placement.at, ...writes })
      return yield* countDead(writes)
    }
    if (next._tag === "PutOff") {
      problem = error.message
      yield* Effect.logWarning(`${name}: ${error.message}; trying again in ${next.afterMilliseconds} ms`)
    }
    yield* Effect.sleep(next.afterMilliseconds)
  })

  const waitForWork = Effect.gen(function* () {
    const untilTimer = Math.ceil(nextTimerDue - clockOffset - (yield* Clock.currentTimeMillis))
    const patience = Math.min(asking.open ? gapPatience : idleMax, Math.max(0, untilTimer))
    const woken = yield* Effect.timeoutOption(wake.await, patience)
    wake.closeUnsafe()
    if (Option.isNone(woken) && !asking.open) nextTimerDue = 0
  })

  const loop: Effect.Effect<never, Fenced | NewerSchema> = Effect.gen(function* () {
    while (true) {
      if (stopped) {
        problem = `more than ${deadLettersPerMinuteMax} dead letters in a minute: the code is at fault, the partition stops`
        yield* Effect.logError(`${name}: ${problem}`)
        return yield* Effect.never
      }
      const more = yield* pass().pipe(
        // A stop waits for the batch under way, which takes milliseconds; it does not wait for a turn.
        Effect.uninterruptible,
        turns.withPermits(1),
        Effect.catchTag(["StorageError", "StepFailed"], error => Effect.as(recover(error), true)),
        // Putting aside failed as well: the next pass meets the same message again, and comes back to it.
        Effect.catchTag("StorageError", error => Effect.as(recoverLater(error), true)),
      )
      yield* more ? Effect.yieldNow : waitForWork
    }
  })

  const recoverLater = (error: StorageError) => {
    problem = error.message
    return Effect.andThen(
      Effect.logWarning(`${name}: a message could not be put aside: ${error.message}`),
      Effect.sleep(putAsideAgainAfter),
    )
  }

  yield* bus
    .read({
      stream: streams(bus.namespace).mailbox(kind),
      subject: subjects(bus.namespace).partition(kind, taken.partition),
      from: () => Math.max(0, readFrom - readMargin),
      onDelivery,
    })
    .pipe(Effect.catch(error => Effect.logError(`${name} cannot be read: ${error.message}`)))
  yield* loop.pipe(
    Effect.catchTag("Fenced", fenced =>
      Effect.as(Effect.logWarning(`${name} has another owner (epoch ${fenced.epoch} is over)`), "lost" as const),
    ),
    Effect.catchTag("NewerSchema", ({ message }) =>
      Effect.as(Effect.logError(`${name} is for a newer version of this program: ${message}`), "newer" as const),
    ),
    Effect.tap(ending => Deferred.succeed(done, ending)),
    Effect.ensuring(Deferred.succeed(done, "lost")),
    Effect.forkScoped,
  )
  return { taken, done, lastPass: () => lastPass, backlog: () => inbox.size, problem: () => problem }
})

const putAsideAgainAfter = 500

const safeJson = (data: Uint8Array): unknown => {
  try {
    return JSON.parse(textDecoder.decode(data))
  } catch {
    return undefined // not JSON: not one of ours, see onDelivery
  }
}
