/**
 * One piece of work from delivery to verdict: decode → run → report through the door → acknowledge. The acknowledgement
 * comes last, so whatever dies in between, the queue delivers again; `run` is idempotent by key and reports are fenced.
 */
import { reached } from "@sluice/actor/crash-point"
import type { Door } from "@sluice/actor/door"
import type { StorageError, Work } from "@sluice/actor/ports"
import type { Outgoing } from "@sluice/protocol/envelope"
import { Cause, Effect, Schedule } from "effect"
import { decodeWork } from "./decode.ts"
import type { ActivityKind, Outcome, WorkItem } from "./definition.ts"
import { delayAfter } from "./delay.ts"

const workingEvery = 2_000 // a third of the queue's ack wait: two signals may be lost
const newerPause = 30_000 // until a process of the newer version takes it
const retryAfterMax = 900_000 // what a vendor asks for beyond a quarter of an hour is asked again instead
const commitRetry = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("5 seconds")])

export const perform = <Payload, Done, Running, Failed, R>(
  kind: ActivityKind<Payload, Done, Running, Failed, R>,
  door: Door["Service"],
  work: Work,
): Effect.Effect<void, never, R> => {
  const decoded = decodeWork(kind.payload, work)
  switch (decoded._tag) {
    case "Unreadable":
      return Effect.logError(`work on ${work.subject} cannot be read and is dropped: ${decoded.reason}`).pipe(
        Effect.andThen(decoded.frame === undefined ? Effect.void : giveUp(door, decoded.frame)),
        Effect.andThen(work.terminate("unreadable")),
      )
    case "Newer":
      return Effect.andThen(
        Effect.logWarning(`work on ${work.subject} is of version ${decoded.schemaVersion}, newer than this process`),
        work.retry(newerPause),
      )
    case "Item":
      return runAndReport(kind, door, work, decoded.item).pipe(
        stayingAlive(work),
        Effect.annotateLogs({ activity: kind.name, key: decoded.item.key, correlationId: decoded.item.correlationId }),
      )
  }
}

const runAndReport = <Payload, Done, Running, Failed, R>(
  kind: ActivityKind<Payload, Done, Running, Failed, R>,
  door: Door["Service"],
  work: Work,
  item: WorkItem<Payload>,
): Effect.Effect<void, never, R> =>
  Effect.gen(function* () {
    const { Done, StillRunning, Transient, Permanent } = kind.outcomes
    const finish = (messages: ReadonlyArray<Outgoing>) => report(door, work, item, messages)
    yield* reached("work-taken")
    const outcome = yield* runBounded(kind, item)
    yield* reached("work-done")
    switch (outcome._tag) {
      case "Done":
        return yield* finish(Done(item, outcome.result))
      case "StillRunning":
        return yield* finish(StillRunning(item, outcome.result))
      case "Permanent":
        return yield* finish(Permanent(item, outcome.result))
      case "Transient": {
        const scheduled = yield* delayAfter(Transient.schedule, item.delivery, outcome.reason)
        if (scheduled === undefined) return yield* finish(Transient.exhausted(item, outcome.reason))
        const delay = outcome.retryAfter === undefined ? scheduled : Math.min(outcome.retryAfter, retryAfterMax)
        yield* Effect.logDebug(`delivery ${item.delivery} is tried again in ${delay} ms: ${outcome.reason}`)
        return yield* work.retry(delay)
      }
    }
  })

/** Too long, or broken, is worth another try: neither says anything about the work. */
const runBounded = <Payload, Done, Running, Failed, R>(
  kind: ActivityKind<Payload, Done, Running, Failed, R>,
  item: WorkItem<Payload>,
): Effect.Effect<Outcome<Done, Running, Failed>, never, R> =>
  Effect.suspend(() => kind.run(item)).pipe(
    Effect.timeoutOrElse({
      duration: kind.timeLimit,
      orElse: () => Effect.succeed(transient(`it took longer than ${kind.timeLimit / 1_000} s`)),
    }),
    Effect.catchCauseIf(
      cause => !Cause.hasInterruptsOnly(cause),
      cause => Effect.as(Effect.logError("the activity broke", cause), transient("the activity broke")),
    ),
  )

const transient = (reason: string) => ({ _tag: "Transient", reason }) as const

/**
 * What was found out is kept while the store is away, for as long as that lasts: asking the vendor again costs more than
 * waiting. Only a report that can never be written is given up; the asking actor's deadline notices.
 */
const report = (
  door: Door["Service"],
  work: Work,
  item: WorkItem<unknown>,
  messages: ReadonlyArray<Outgoing>,
): Effect.Effect<void> => {
  const caused = messages.map(message => ({ ...message, correlationId: item.correlationId, causationId: item.id }))
  const commit = door.complete(item.workspaceId, item.id, caused)
  return commit.pipe(
    Effect.tapError(error => Effect.logWarning(`the result could not be committed: ${error.message}`)),
    Effect.retry({ schedule: commitRetry, while: (error: StorageError) => error.fault !== "message" }),
    Effect.andThen(reached("result-committed")),
    Effect.andThen(work.ack),
    Effect.catch(error =>
      Effect.logError(`the result can never be stored and is dropped: ${error.message}`).pipe(
        Effect.andThen(giveUp(door, item)),
        Effect.andThen(work.terminate("unstorable result")),
      ),
    ),
  )
}

/** Nothing comes of it: its sender must not publish it again at every takeover. When this is not stored, the next try is. */
const giveUp = (door: Door["Service"], { id, workspaceId }: Pick<WorkItem<unknown>, "id" | "workspaceId">) =>
  Effect.catch(door.complete(workspaceId, id, []), error =>
    Effect.logWarning(`work that was given up is still outstanding: ${error.message}`),
  )

/** Tells the queue that this work is in hands, for as long as `effect` runs. */
const stayingAlive =
  (work: Work) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.raceFirst(effect, Effect.forever(Effect.andThen(Effect.sleep(workingEvery), work.working)))
