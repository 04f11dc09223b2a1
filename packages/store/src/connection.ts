/**
 * How a connection of ours is configured: the schema it sees, its time limits, how values are read. Used by the pool
 * (`database.ts`) and, for work that comes before or beside it (migrations, test databases), as one connection of its own.
 *
 * Values as read: int8 as number, `timestamptz` as `Date`, `jsonb` parsed, numeric as text.
 */
import { Effect, Redacted } from "effect"
import pg from "pg"
import { StoreStartError, sentenceOf } from "./errors.ts"

export interface ConnectionOptions {
  /** `postgres://user:password@host:port/database`. */
  readonly url: Redacted.Redacted<string>
  /** The schema that holds all tables; the only one on the search path. */
  readonly schema: string
  readonly applicationName: string
}

/** Milliseconds. */
export interface SessionLimits {
  readonly idleInTransaction: number
  readonly lock: number
  readonly statement: number
  readonly answer: number
}

export const sessionLimits: SessionLimits = {
  idleInTransaction: 4_000, // below the lease of 6 s: an owner stopped inside a transaction frees its row before it loses it
  lock: 3_000, // whoever waits longer gives its connection back and tries again
  statement: 10_000, // no statement of ours takes a second; a runaway must not hold a partition for ever
  answer: 12_000, // just above: the server no longer answers, so the connection is dead without having said so
}

const connectMillisecondsMax = 5_000 // includes waiting for a free connection of the pool
const keepAliveAfterMilliseconds = 10_000

export const clientConfig = (options: ConnectionOptions, limits: SessionLimits | undefined): pg.ClientConfig => {
  const url = new URL(Redacted.value(options.url))
  // What stands in the address wins in this driver, so its own options are taken out and put before ours.
  const given = url.searchParams.get("options")
  url.searchParams.delete("options")
  return {
    connectionString: url.href,
    application_name: options.applicationName,
    options: `${given === null ? "" : `${given} `}-c search_path=${quotedSchema(options.schema)}`,
    connectionTimeoutMillis: connectMillisecondsMax,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveAfterMilliseconds,
    ...(limits === undefined
      ? {}
      : {
          idle_in_transaction_session_timeout: limits.idleInTransaction,
          lock_timeout: limits.lock,
          statement_timeout: limits.statement,
          query_timeout: limits.answer,
        }),
  }
}

/** One connection without time limits, closed with the scope. */
export const openConnection = (options: ConnectionOptions) =>
  Effect.acquireRelease(
    Effect.tryPromise({
      try: async () => {
        const client = new pg.Client(clientConfig(options, undefined))
        // A connection that dies between two statements says so here; the next statement fails anyway.
        client.on("error", () => {})
        await client.connect()
        return client
      },
      catch: error => unreachable(options.url, error),
    }),
    client => Effect.promise(() => client.end().catch(() => undefined)), // It may be broken; then it is closed already.
  )

export const unreachable = (url: Redacted.Redacted<string>, error: unknown) =>
  new StoreStartError({
    reason: "unreachable",
    message: `The database at ${placeOf(url)} cannot be used: ${sentenceOf(error)}.`,
  })

/** Host, port and database of an address, without user and password. */
export const placeOf = (url: Redacted.Redacted<string>): string => {
  const { host, pathname } = new URL(Redacted.value(url))
  return `${host}${pathname}`
}

/** The configuration admits plain lower-case names only; quoted all the same, since `user` and `order` are such. */
export const quotedSchema = (schema: string): string => pg.escapeIdentifier(schema)

/** Our counters and numbers stay far below 2^53; a value that does not is an error of its query, never a rounded number. */
const readInt8 = (text: string): number => {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new Error(`the bigint ${text} does not fit a number`)
  return value
}

// For the whole process, since drizzle reads by the driver's shared table and not by a connection's own.
pg.types.setTypeParser(pg.types.builtins.INT8, readInt8)
