/**
 * The pool of connections, for as long as its scope is open, and drizzle on it for entity queries that need no transaction.
 * Transactions are `storage.ts`. Starts only on a database that answers and is new enough.
 */
import type { StorageError } from "@sluice/actor/ports"
import { drizzle, type NodePgDatabase } from "drizzle-orm/node-postgres"
import { Context, Effect, Layer } from "effect"
import pg from "pg"
import type { SessionLimits } from "./connection.ts"
import { type ConnectionOptions, clientConfig, placeOf, sessionLimits, unreachable } from "./connection.ts"
import { StoreStartError, statement } from "./errors.ts"

/** Without drizzle's own transactions: on a pool they leave a broken connection unwatched, inside one of ours they commit it. */
export type Drizzle = Omit<NodePgDatabase, "transaction">

export interface DatabaseOptions extends ConnectionOptions {
  /** Connections at most. */
  readonly poolSize: number
  /** For tests that do not want to wait as long. */
  readonly limits?: SessionLimits
}

export class Database extends Context.Service<
  Database,
  {
    /** One or several statements on any connection, each by itself. */
    readonly run: <A>(work: (db: Drizzle) => Promise<A>) => Effect.Effect<A, StorageError>
    /** For this package alone. */
    readonly pool: pg.Pool
  }
>()("@sluice/store/Database") {
  static layer = (options: DatabaseOptions): Layer.Layer<Database, StoreStartError> =>
    Layer.effect(
      Database,
      Effect.gen(function* () {
        const pool = yield* openPool(options)
        yield* checkVersion(pool, options)
        const db: Drizzle = drizzle({ client: pool })
        return { pool, run: work => statement(() => work(db)) }
      }),
    )
}

/** The oldest major version its makers still repair; also the first with everything the statements use. */
const postgresMajorLeast = 14
const closeMillisecondsMax = 5_000 // transactions under way were interrupted before; what still runs is cut off

const openPool = (options: DatabaseOptions) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const pool = new pg.Pool({
        ...clientConfig(options, options.limits ?? sessionLimits),
        max: options.poolSize,
        // A connection costs milliseconds to open and megabytes of the server to keep.
        idleTimeoutMillis: 60_000,
      })
      // A connection that dies while idle, or between two statements of a transaction, is an event here; without a
      // listener it would end the process. The next statement on it fails, and the pool replaces it.
      pool.on("error", () => {})
      pool.on("connect", client => client.on("error", () => {}))
      return pool
    }),
    pool => Effect.promise(() => pool.end()).pipe(Effect.timeoutOption(closeMillisecondsMax), Effect.asVoid),
  )

const checkVersion = Effect.fnUntraced(function* (pool: pg.Pool, options: DatabaseOptions) {
  const { rows } = yield* Effect.tryPromise({
    try: () => pool.query<{ version: number }>("SELECT current_setting('server_version_num')::int AS version"),
    catch: error => unreachable(options.url, error),
  })
  const refusal = tooOld(rows[0]?.version ?? 0, placeOf(options.url))
  if (refusal !== undefined) return yield* refusal
})

/** `version` as Postgres counts it: 140005 is 14.5. */
export const tooOld = (version: number, place: string): StoreStartError | undefined => {
  const major = Math.floor(version / 10_000)
  if (major >= postgresMajorLeast) return undefined
  return new StoreStartError({
    reason: "tooOld",
    message: `The database at ${place} is Postgres ${major}, but Sluice needs ${postgresMajorLeast} or newer.`,
  })
}
