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
    Effect.catchIf(
      error => error.reason === "missing",
      () => Effect.succeed(undefined),
    ),
  )

/**
 * Removes what lies on the subject. `untaken` only when it is certain: the consumer had not come so far before the removal,
 * and gave out nothing in between.
 */
export const takeBack = Effect.fnUntraced(function* (
  jsm: JetStreamManager,
  place: StoredPlace,
): Effect.fn.Return<"untaken" | "taken" | "absent", BusError> {
  const sequence = yield* storedSequence(jsm, place)
  if (sequence === undefined) return "absent"
  const before = yield* deliveredBy(jsm, place)
  yield* attempt(() => jsm.streams.purge(place.stream, { filter: place.subject }))
  const after = yield* deliveredBy(jsm, place)
  // A purge moves `stream_seq` on by itself (measured on 2.15.1), so afterwards only the count of deliveries tells.
  return before.sequence < sequence && before.count === after.count ? "untaken" : "taken"
})

/** A consumer that is not there gave nothing out. */
const deliveredBy = (jsm: JetStreamManager, place: StoredPlace) =>
  attempt(() => jsm.consumers.info(place.stream, place.consumer)).pipe(
    Effect.map(info => ({ sequence: info.delivered.stream_seq, count: info.delivered.consumer_seq })),
    Effect.catchIf(
      error => error.reason === "missing",
      () => Effect.succeed({ sequence: 0, count: 0 }),
    ),
  )
