/**
 * Whose fault a failed statement is. The one place where Postgres' answers become `StorageError`: by SQLSTATE for what the
 * server said, `unavailable` for a connection that broke. The message is the server's sentence alone: its detail quotes
 * rows, and drizzle's own wrapper quotes the parameters, so neither may reach a log.
 */
import { StorageError } from "@sluice/actor/ports"
import { Effect, Schema } from "effect"
import pg from "pg"

/** Why a process cannot start on this database. `message` is one sentence for the operator; `reason` is its stable code. */
export class StoreStartError extends Schema.TaggedError<StoreStartError>()("StoreStartError", {
  reason: Schema.Literals([
    "unreachable", // may be retried: nobody answers, or refuses the login
    "tooOld", // Postgres itself
    "newerSchema", // a newer Sluice has migrated this database
    "changedMigration", // an applied file is not the one this build carries
    "failedMigration",
  ]),
  message: Schema.String,
}) {}

/** SQLSTATE classes that repeating cannot cure: data exception, integrity constraint violation, program limit exceeded. */
const messageClasses = new Set(["22", "23", "54"])
/** Serialization failure and deadlock. */
const conflictCodes = new Set(["40001", "40P01"])

export const faultOf = (sqlState: string | undefined): StorageError["fault"] => {
  if (sqlState === undefined) return "unavailable"
  if (messageClasses.has(sqlState.slice(0, 2))) return "message"
  return conflictCodes.has(sqlState) ? "conflict" : "unavailable"
}

/** What the server answered, if it was the server that refused: a broken connection has a `code` too, but not this class. */
export const serverAnswer = (error: unknown): pg.DatabaseError | undefined => {
  for (let each = error; each instanceof Error; each = each.cause) if (each instanceof pg.DatabaseError) return each
  return undefined
}

export const toStorageError = (error: unknown): StorageError => {
  const answer = serverAnswer(error)
  return new StorageError({
    fault: faultOf(answer?.code),
    ...(answer?.code === undefined ? {} : { code: answer.code }),
    ...(answer?.constraint === undefined ? {} : { constraint: answer.constraint }),
    message: answer?.message ?? sentenceOf(error),
  })
}

/**
 * A promise of the driver or of drizzle as an effect. It runs to its end even when interrupted, so that a client is never
 * given back in the middle of a statement; the session's timeouts bound the wait. What the language itself throws is a
 * mistake in our code and dies.
 */
export const statement = <A>(run: () => Promise<A>): Effect.Effect<A, StorageError> =>
  Effect.tryPromise({
    try: run,
    catch: error => {
      if (isMistake(error)) throw error
      return toStorageError(error)
    },
  }).pipe(Effect.uninterruptible)

const isMistake = (error: unknown): boolean =>
  error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError

/** Connecting to several addresses fails with an aggregate whose own message is empty. */
export const sentenceOf = (error: unknown): string => {
  const innermost = error instanceof Error && error.cause instanceof Error ? error.cause : error
  if (innermost instanceof AggregateError) return innermost.errors.map(sentenceOf).join("; ")
  return innermost instanceof Error ? innermost.message : String(innermost)
}
