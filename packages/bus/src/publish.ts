/**
 * Storing messages: all of a list in flight at the same time, one verdict each. A message whose acknowledgement did not
 * come is answered `false`, although it may be stored: whoever numbered it repeats it, and marks make that harmless.
 * While the connection is down the answer is `false` at once; senders repeat on reconnect, not in a loop.
 */
import type { Publication } from "@sluice/actor/ports"
import { Effect, Semaphore } from "effect"
import type { Connection } from "./connection.ts"
import { isAlreadyThere, isNoStream, toBusError } from "./failure.ts"
import type { Repair } from "./repair.ts"

const publishesInFlightMax = 1_000 // past a few hundred nothing gets faster, and the broker buffers 10,000 per stream
const ackTimeout = 5_000 // an fsync on a busy disk takes long; past this the broker is restarting

export const makePublish = Effect.fnUntraced(function* (connection: Connection, repair: Repair) {
  const slots = yield* Semaphore.make(publishesInFlightMax)
  return (list: ReadonlyArray<Publication>): Effect.Effect<ReadonlyArray<boolean>> =>
    Effect.forEach(list, each => slots.withPermit(publishOne(connection, repair, each)), { concurrency: "unbounded" })
})

const publishOne = (connection: Connection, repair: Repair, publication: Publication): Effect.Effect<boolean> =>
  Effect.callback<boolean>(resume => {
    const answer = (verdict: Effect.Effect<boolean>) => {
      connection.onDown.delete(lost)
      resume(verdict)
    }
    const lost = () => answer(Effect.succeed(false))
    if (!connection.up.isOpen()) return lost()
    connection.onDown.add(lost)
    const stored = connection.js.publish(publication.subject, publication.data, publishOptions(publication))
    stored.then(
      () => answer(Effect.succeed(true)),
      failure => answer(verdictOf(failure, repair, publication.subject)),
    )
    return Effect.sync(() => connection.onDown.delete(lost))
  })

const verdictOf = (failure: unknown, repair: Repair, subject: string): Effect.Effect<boolean> => {
  if (isAlreadyThere(failure)) return Effect.succeed(true)
  if (isNoStream(failure)) repair.request()
  const error = toBusError(failure)
  const say = error.reason === "refused" ? Effect.logError : Effect.logDebug
  return Effect.as(say(`${subject} was not stored: ${error.message}`), false)
}

const publishOptions = (publication: Publication) => ({
  timeout: ackTimeout,
  ...(publication.messageId === undefined ? {} : { msgID: publication.messageId }),
  // The broker counts whole seconds, and refuses less than one.
  ...(publication.timeToLive === undefined
    ? {}
    : { ttl: `${Math.max(1, Math.ceil(publication.timeToLive / 1_000))}s` }),
})
