/**
 * Looking at one stored message, and taking it back: what a work queue with one message per subject can say about it.
 * Whoever takes it back is told whether a consumer had been given it.
 */
import type { JetStreamManager } from "@nats-io/jetstream"
import type { BusError } from "@sluice/actor/ports"
import { Effect } from "effect"
import { attempt } from "./failure.ts"

export interface StoredPlace {
  readonly stream: string
  readonly subject: string
  readonly consumer: string
}

/** The sequence of the message on the subject; `undefined` when there is none, or no such stream. */
export const storedSequence = (jsm: JetStreamManager, place: Omit<StoredPlace, "consumer">) =>
  attempt(async () => (await jsm.streams.getMessage(place.stream, { last_by_subj: place.subject }))?.seq).pipe(
    Effect.catch(error => (error.reason === "missing" ? Effect.succeed(undefined) : Effect.fail(error))),
  )

/**
 * Removes what lies on the subject. `untaken` only when the consumer, asked after the removal, had never come so far: a
 * delivery in between is seen by that, and then the answer is `taken`.
 */
export const takeBack = Effect.fnUntraced(function* (
  jsm: JetStreamManager,
  place: StoredPlace,
): Effect.fn.Return<"untaken" | "taken" | "absent", BusError> {
  const sequence = yield* storedSequence(jsm, place)
  if (sequence === undefined) return "absent"
  yield* attempt(() => jsm.streams.purge(place.stream, { filter: place.subject }))
  const info = yield* attempt(() => jsm.consumers.info(place.stream, place.consumer))
  return info.delivered.stream_seq >= sequence ? "taken" : "untaken"
})
