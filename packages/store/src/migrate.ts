/**
 * Brings the tables of one schema up to this build's: the numbered files of `migrations/`, in order, each once, all in one
 * transaction under an advisory lock. Any number of processes may start at the same time; the first does the work.
 */
import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { Effect } from "effect"
import type pg from "pg"
import { type ConnectionOptions, openConnection, placeOf, quotedSchema } from "./connection.ts"
import { StoreStartError, sentenceOf } from "./errors.ts"

export interface Migration {
  readonly number: number
  readonly name: string
  readonly sql: string
  /** SHA-256 of `sql`, hex. */
  readonly checksum: string
}

export const migrationsDirectory = resolve(import.meta.dirname, "../migrations")

/** `0001_runtime.sql` is number 1. Files that do not look like this are an error: one would be left out silently. */
export const readMigrations = (directory = migrationsDirectory): ReadonlyArray<Migration> =>
  readdirSync(directory)
    .sort()
    .map((name, index) => {
      const number = Number(/^(\d{4})_[a-z0-9_]+\.sql$/.exec(name)?.[1])
      if (number !== index + 1) throw new Error(`${name} is not migration number ${index + 1}`)
      const sql = readFileSync(join(directory, name), "utf8")
      return { number, name, sql, checksum: createHash("sha256").update(sql).digest("hex") }
    })

/** Applies what is missing and returns the names applied; none when the database is up to date. */
export const migrate = (options: ConnectionOptions, migrations = readMigrations()) =>
  Effect.scoped(
    Effect.gen(function* () {
      const client = yield* openConnection(options)
      return yield* Effect.tryPromise({
        try: () => applyMissing(client, options, migrations),
        catch: error =>
          error instanceof StoreStartError
            ? error
            : new StoreStartError({
                reason: "failedMigration",
                message: `The database at ${placeOf(options.url)} could not be migrated, nothing was changed: ${sentenceOf(error)}.`,
              }),
      }).pipe(Effect.uninterruptible) // The connection's end would roll back anyway; this way its outcome is known.
    }),
  )

/** First half of the advisory lock's key, shared by everything of Sluice; the second is the schema's hash. */
const lockClass = 72_001

const applyMissing = async (
  client: pg.Client,
  options: ConnectionOptions,
  migrations: ReadonlyArray<Migration>,
): Promise<ReadonlyArray<string>> => {
  // READ COMMITTED, so that whoever waited for the lock sees what its predecessor did. No ROLLBACK on failure: the
  // connection is closed then.
  await client.query("BEGIN ISOLATION LEVEL READ COMMITTED")
  await client.query("SELECT pg_advisory_xact_lock($1, hashtext($2))", [lockClass, options.schema])
  await client.query(`CREATE SCHEMA IF NOT EXISTS ${quotedSchema(options.schema)}`)
  await client.query(`CREATE TABLE IF NOT EXISTS migration (
    number int PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`)
  const { rows } = await client.query<AppliedMigration>("SELECT number, name, checksum FROM migration ORDER BY number")
  refuseWhatIsNotOurs(rows, migrations, options)
  const missing = migrations.slice(rows.length)
  for (const each of missing) {
    await client.query(each.sql).catch(error => {
      throw new Error(`${each.name}: ${sentenceOf(error)}`)
    })
    await client.query("INSERT INTO migration (number, name, checksum) VALUES ($1, $2, $3)", [
      each.number,
      each.name,
      each.checksum,
    ])
  }
  await client.query("COMMIT")
  return missing.map(each => each.name)
}

type AppliedMigration = Pick<Migration, "number" | "name" | "checksum">

const refuseWhatIsNotOurs = (
  applied: ReadonlyArray<AppliedMigration>,
  known: ReadonlyArray<Migration>,
  { url, schema }: ConnectionOptions,
): void => {
  const place = `The schema "${schema}" of the database at ${placeOf(url)}`
  const newest = applied.at(-1)
  if (newest !== undefined && newest.number > known.length) {
    throw new StoreStartError({
      reason: "newerSchema",
      message: `${place} was migrated by a newer Sluice (its migration ${newest.name}, this build ends at ${known.length}): start that version or newer.`,
    })
  }
  const changed = applied.find(each => known[each.number - 1]?.checksum !== each.checksum)
  if (changed !== undefined) {
    throw new StoreStartError({
      reason: "changedMigration",
      message: `${place} was made by another ${changed.name} than this build's: an applied migration never changes, so restore the file or use another schema.`,
    })
  }
}
