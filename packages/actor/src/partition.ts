/**
 * One owned partition: reads its subject, and commits batch after batch under its row and epoch. The loop below is the
 * whole story: read, lock, drop what is applied, load, decide, write, commit, publish. Whoever loses the epoch stands down.
 */
import { Envelope } from "@sluice/protocol/envelope"
import { streams, subjects } from "@sluice/protocol/subjects"
import { Clock, Deferred, Duration, Effect, Exit, Latch, Metric, Schema, type Scope } from "effect"
import { Collector } from "./collector.ts"
import { reached } from "./crash-point.ts"
import type { ActorKindName, AnyActorKind } from "./definition.ts"
import { type Gap, Inbox, type Received } from "./inbox.ts"
import { inputOfMessage, inputOfTimer } from "./input.ts"
import { batchSeconds, deadLettersTotal, evaluationsTotal, redeliveriesTotal } from "./metrics.ts"
import { type Fenced, PartitionStore, type Taken } from "./partition-store.ts"
import { Bus, type StorageError } from "./ports.ts"
import type { Committed, Relay } from "./relay.ts"
import { documentStep, setStep } from "./step.ts"

/** One commit stays short enough for the next workspace to get in between. */
const batchMessagesMax = 500
const batchTimersMax = 200
/** Read again this much before the newest applied message: publishers' commits and the broker's storing may overlap. */
const readMargin = 5_000
/** After a failure of store or broker; doubled up to the maximum, for as long as it lasts. */
const retryFirst = 50
const retryMax = 1_000
/** Then the code is at fault, not the messages: the partition stops and its health check says so. */
const deadLettersPerMinuteMax = 100

export interface Partition {
  readonly taken: Taken
  /** Ends when the partition was lost or the scope closed. */
  readonly done: Deferred.Deferred<void>
  /** Epoch ms of the last pass through the loop; a stuck loop is seen by its age. */
  readonly lastPass: () => number
  readonly backlog: () => number
  readonly problem: () => string | undefined
}

const decodeEnvelope = Schema.decodeUnknownExit(Envelope)
const textDecoder = new TextDecoder()

/** Starts the loop of a partition just taken, in the caller's scope. */
export const runPartition = Effect.fnUntraced(function* (
  actor: AnyActorKind,
  taken: Taken,
  relay: Relay,
): Effect.fn.Return<Partition, never, Bus | PartitionStore | Scope.Scope> {
  const bus = yield* Bus
  const store = yield* PartitionStore
  const kind: ActorKindName = actor.definition.kind
  const inbox = new Inbox()
  const wake = yield* Latch.make(true)
  const done = yield* Deferred.make<void>()
  const placement = {
    at: { kind, partition: taken.partition },
    partitions: store.installation.partitions,
    incarnation: store.installation.incarnation,
  }
  let readFrom = taken.readFrom
  let nextTimerDue = 0 // 0: unknown, ask
  let clockOffset = 0 // database minus local, ms
  let lastPass = yield* Clock.currentTimeMillis
  let problem: string | undefined
  let limit = batchMessagesMax
  const dead: Array<number> = []

  const onDelivery = (delivery: { data: Uint8Array; storedAt: number }): void => {
    const exit = decodeEnvelope(safeJson(delivery.data))
    // Only services publish to mailboxes: what is not an envelope is nobody's message.
    if (Exit.isFailure(exit)) return
    if (exit.value.source.incarnation !== placement.incarnation) return
    inbox.add({ envelope: exit.value, storedAt: delivery.storedAt })
    wake.openUnsafe()
  }

  /** One batch; answers whether there is more to do at once. */
  const batch = Effect.fnUntraced(function* () {
    const timersDue = nextTimerDue <= (yield* Clock.currentTimeMillis) + clockOffset
    if (inbox.size === 0 && !timersDue) return false
    const result = yield* store.batch({ ...taken }, (head, tx) =>
      Effect.gen(function* () {
        const timers = timersDue ? yield* tx.timers(batchTimersMax + 1) : []
        const due = timers
          .filter(timer => timer.dueAt <= head.now)
          .slice(0, limit === batchMessagesMax ? batchTimersMax : limit)
        const { next, gaps } = inbox.select(head.marks, Math.max(0, limit - due.length))
        const inputs = [...due.map(timer => inputOfTimer(kind, timer)), ...next.map(inputOfMessage)]
        const upcoming = timersDue ? (timers[due.length]?.dueAt ?? Number.POSITIVE_INFINITY) : nextTimerDue
        if (inputs.length === 0) return { head, gaps, upcoming, next, handled: 0, writes: undefined }
        const step =
          actor._tag === "Document"
            ? yield* documentStep(actor.definition, placement, head, tx, inputs)
            : yield* setStep(actor.definition, placement, head, tx, inputs)
        yield* reached("batch-decided")
        if (actor._tag === "Document") {
          for (const [name, rows] of step.collector.projections) {
            const write = actor.definition.projections[name]
            if (write === undefined) return yield* Effect.die(new Error(`${kind} has no projection "${name}"`))
            yield* write(tx.tx, rows, head.now)
          }
        }
        const writes = step.collector.writes
        yield* tx.write(writes)
        yield* reached("batch-written")
        return { head, gaps, upcoming, next, handled: step.handled, writes, inputs }
      }),
    )
    clockOffset = result.head.now - (yield* Clock.currentTimeMillis)
    nextTimerDue = result.upcoming
    if (result.gaps.length > 0) yield* askAgain(result.gaps)
    if (result.writes === undefined) return false
    yield* reached("batch-committed")
    const handledInputs = result.inputs.slice(0, result.handled)
    inbox.applied(handledInputs.flatMap((input): ReadonlyArray<Received> => (input.received ? [input.received] : [])))
    readFrom = Math.max(readFrom, result.writes.readFrom)
    for (const timer of result.writes.timersSet) nextTimerDue = Math.min(nextTimerDue, timer.dueAt)
    if (result.handled < result.inputs.length) nextTimerDue = 0
    yield* relay.committed({
      source: placement.at,
      outbox: result.writes.outbox,
      activities: result.writes.activities,
      receipts: result.writes.receipts,
    } satisfies Committed)
    yield* Metric.update(Metric.withAttributes(evaluationsTotal, { kind }), result.handled)
    if (result.writes.deadLetters.length > 0)
      yield* countDead(result.writes.deadLetters.filter(one => !one.parked).map(one => `${one.key}: ${one.reason}`))
    limit = Math.min(batchMessagesMax, limit * 2)
    return inbox.size > 0 || nextTimerDue <= result.head.now
  })

  const askedAt = new Map<string, number>()
  /** Something in a channel is missing: its source sends again. At most twice a second per channel. */
  const askAgain = Effect.fnUntraced(function* (gaps: ReadonlyArray<Gap>) {
    const now = yield* Clock.currentTimeMillis
    for (const { source, from } of gaps) {
      const id = `${source.kind}.${source.partition}`
      if (now - (askedAt.get(id) ?? 0) < 500) continue
      askedAt.set(id, now)
      yield* relay.ask({ kind: source.kind, partition: source.partition }, { kind, partition: taken.partition }, from)
    }
  })

  const countDead = Effect.fnUntraced(function* (reasons: ReadonlyArray<string>) {
    const now = yield* Clock.currentTimeMillis
    for (const reason of reasons) {
      dead.push(now)
      yield* Effect.logError(`dead letter in ${kind} partition ${taken.partition}: ${reason}`)
      yield* Metric.update(Metric.withAttributes(deadLettersTotal, { kind }), 1)
    }
    while (dead.length > 0 && (dead[0] ?? now) < now - 60_000) dead.shift()
  })

  /** Whose fault decides: the batch is repeated, halved, or its one message put aside; or the partition is given up. */
  let delay = retryFirst
  const pass = Effect.fnUntraced(function* () {
    lastPass = yield* Clock.currentTimeMillis
    const more = yield* batch()
    problem = undefined
    delay = retryFirst
    if (inbox.redelivered > 0) {
      yield* Metric.update(Metric.withAttributes(redeliveriesTotal, { kind }), inbox.redelivered)
      inbox.redelivered = 0
    }
    return more
  })

  const putAside = (reason: string) =>
    store.batch({ ...taken }, (head, tx) =>
      Effect.gen(function* () {
        const timers = nextTimerDue === 0 || nextTimerDue <= head.now ? yield* tx.timers(1) : []
        const due = timers.filter(timer => timer.dueAt <= head.now)
        const { next } = inbox.select(head.marks, 1 - due.length)
        const [input] = [...due.map(timer => inputOfTimer(kind, timer)), ...next.map(inputOfMessage)]
        if (input === undefined) return
        const collector = new Collector(placement, head)
        collector.close(input, "dead", { reason })
        yield* tx.write(collector.writes)
        yield* countDead([`${input.key}: ${reason}`])
      }),
    )

  const onStorageError = Effect.fnUntraced(function* (
    error: StorageError | { _tag: "SetStepFailed"; message: string },
  ) {
    const message = error._tag === "SetStepFailed" || error.fault === "message"
    if (message && limit > 1) {
      limit = Math.max(1, Math.floor(Math.min(limit, inbox.size || 1) / 2))
      return true
    }
    if (message) {
      yield* putAside(error.message)
      return true
    }
    if (error._tag === "StorageError" && error.fault === "conflict") return true
    problem = error.message
    yield* Effect.logWarning(`${kind} partition ${taken.partition}: ${error.message}; trying again in ${delay} ms`)
    yield* Effect.sleep(delay)
    delay = Math.min(retryMax, delay * 2)
    return true
  })

  const loop: Effect.Effect<void, Fenced, never> = Effect.gen(function* () {
    while (true) {
      if (dead.length > deadLettersPerMinuteMax) {
        problem = `more than ${deadLettersPerMinuteMax} dead letters in a minute: the code is at fault, the partition stops`
        yield* Effect.logError(`${kind} partition ${taken.partition}: ${problem}`)
        return yield* Effect.never
      }
      const more = yield* pass().pipe(
        Effect.uninterruptible,
        Effect.timed,
        Effect.tap(([duration]) =>
          Metric.update(Metric.withAttributes(batchSeconds, { kind }), Duration.toMillis(duration) / 1000),
        ),
        Effect.map(([, result]) => result),
        Effect.catchTag(["StorageError", "SetStepFailed"], onStorageError),
        Effect.catchTag(["StorageError"], error => Effect.as(Effect.sleep(delay), error.fault !== "conflict")),
      )
      if (more) {
        yield* Effect.yieldNow
        continue
      }
      const untilTimer = Math.min(60_000, Math.max(0, nextTimerDue - clockOffset - (yield* Clock.currentTimeMillis)))
      yield* wake.await.pipe(Effect.timeoutOption(Math.ceil(untilTimer)))
      wake.closeUnsafe()
    }
  })

  yield* bus
    .read({
      stream: streams(bus.namespace).mailbox(kind),
      subject: subjects(bus.namespace).partition(kind, taken.partition),
      from: () => Math.max(0, readFrom - readMargin),
      onDelivery,
    })
    .pipe(
      Effect.catch(error => Effect.logError(`${kind} partition ${taken.partition} cannot be read: ${error.message}`)),
    )
  yield* loop.pipe(
    Effect.catchTag("Fenced", fenced =>
      Effect.logWarning(`${kind} partition ${taken.partition} has another owner (epoch ${fenced.epoch} is over)`),
    ),
    Effect.ensuring(Deferred.succeed(done, undefined)),
    Effect.forkScoped,
  )
  return { taken, done, lastPass: () => lastPass, backlog: () => inbox.size, problem: () => problem }
})

const safeJson = (data: Uint8Array): unknown => {
  try {
    return JSON.parse(textDecoder.decode(data))
  } catch {
    return undefined // not JSON: not one of ours, see onDelivery
  }
}
