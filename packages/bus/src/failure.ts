/**
 * Every failure of the NATS client as a `BusError`, mapped here and nowhere else. `missing` is what re-applying the
 * topology can mend, `refused` is what repeating cannot, everything else is worth another try.
 */
import { JetStreamApiCodes, JetStreamApiError } from "@nats-io/jetstream"
import { errors } from "@nats-io/transport-node"
import { BusError } from "@sluice/actor/ports"
import { Effect } from "effect"

const missingCodes: ReadonlyArray<number> = [JetStreamApiCodes.StreamNotFound, JetStreamApiCodes.ConsumerNotFound]

/** The broker's code for a message over the per-subject limit of a stream that refuses instead of replacing. */
const storeRefusedCode = 10077

export const toBusError = (failure: unknown): BusError => {
  const message = failure instanceof Error ? failure.message : String(failure)
  return new BusError({ reason: reasonOf(failure), message })
}

/** A call of the client that answers with a promise. */
export const attempt = <A>(call: () => Promise<A>): Effect.Effect<A, BusError> =>
  Effect.tryPromise({ try: call, catch: toBusError })

/** The stream holds a message on this subject already and takes one at most: what was asked for is there. */
export const isAlreadyThere = (failure: unknown): boolean =>
  failure instanceof JetStreamApiError &&
  failure.code === storeRefusedCode &&
  failure.message.includes("per subject exceeded")

export const isNoStream = (failure: unknown): boolean =>
  failure instanceof Error && failure.cause instanceof errors.RequestError && failure.cause.isNoResponders()

export const isLoginRefused = (failure: unknown): boolean =>
  failure instanceof errors.AuthorizationError || failure instanceof errors.UserAuthenticationExpiredError

const reasonOf = (failure: unknown): BusError["reason"] => {
  if (failure instanceof JetStreamApiError) {
    if (missingCodes.includes(failure.code)) return "missing"
    // 5xx is the broker's own trouble (no leader yet, storage busy), 4xx is ours.
    return failure.status >= 500 ? "unavailable" : "refused"
  }
  if (failure instanceof errors.InvalidArgumentError || failure instanceof errors.InvalidSubjectError) return "refused"
  if (failure instanceof errors.PermissionViolationError) return "refused"
  return isNoStream(failure) ? "missing" : "unavailable"
}
