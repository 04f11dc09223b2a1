import { expect, it } from "@effect/vitest"
import { emptyDatabase } from "@sluice/testkit/database"
import { sharedPostgres } from "@sluice/testkit/shared"
import { Effect, Redacted } from "effect"
import { describe } from "vitest"
import { type ConnectionOptions, openConnection } from "../src/connection.ts"
import { type Migration, migrate, readMigrations } from "../src/migrate.ts"

const shipped = readMigrations()

const fileWith = (number: number, sql: string, checksum = `sum of ${sql}`): Migration => ({
  number,
  name: `000${number}_made_up.sql`,
  sql,
  checksum,
})

const emptyOne = Effect.flatMap(sharedPostgres, emptyDatabase)

const rowsOf = (options: ConnectionOptions, text: string) =>
  Effect.scoped(
    Effect.flatMap(openConnection(options), client => Effect.promise(() => client.query(text))).pipe(
      Effect.map(answer => answer.rows as ReadonlyArray<Record<string, unknown>>),
    ),
  )

const tableNames = (options: ConnectionOptions) =>
  Effect.map(rowsOf(options, "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1"), rows =>
    rows.map(row => row.tablename),
  )

describe("migrating an empty database", () => {
  it.live("applies every file in order, once, and nothing the second time", () =>
    Effect.gen(function* () {
      const options = yield* emptyOne
      expect(yield* migrate(options)).toEqual(shipped.map(each => each.name))
      expect(yield* migrate(options)).toEqual([])
      expect(yield* tableNames(options)).toEqual(expect.arrayContaining(["actor_state", "deployment", "job_set"]))
    }),
  )

  it.live("is done by exactly one of four that start at the same time", () =>
    Effect.gen(function* () {
      const options = yield* emptyOne
      const applied = yield* Effect.all(
        Array.from({ length: 4 }, () => migrate(options)),
        { concurrency: "unbounded" },
      )
      expect(applied.filter(names => names.length > 0)).toEqual([shipped.map(each => each.name)])
      const recorded = yield* rowsOf(options, "SELECT name, checksum FROM migration ORDER BY number")
      expect(recorded).toEqual(shipped.map(({ name, checksum }) => ({ name, checksum })))
    }),
  )

  it.live("keeps two schemas of one database apart", () =>
    Effect.gen(function* () {
      const one = yield* emptyOne
      const two = { ...one, schema: "order" } // a reserved word, to be quoted
      yield* Effect.all([migrate(one), migrate(two)], { concurrency: 2 })
      yield* rowsOf(two, "INSERT INTO guard (name) VALUES ('here') RETURNING name")
      expect(yield* rowsOf(one, "SELECT name FROM guard")).toEqual([])
      expect(yield* rowsOf(two, "SELECT name FROM guard")).toEqual([{ name: "here" }])
    }),
  )

  it.live("leaves nothing behind when a later file fails", () =>
    Effect.gen(function* () {
      const options = yield* emptyOne
      const files = [fileWith(1, "CREATE TABLE one ()"), fileWith(2, "CREATE TABLE two (); CREATE TABEL three ()")]
      const error = yield* Effect.flip(migrate(options, files))
      expect(error).toMatchObject({ reason: "failedMigration" })
      expect(error.message).toMatch(
        /^The database at 127\.0\.0\.1:\d+\/\w+ could not be migrated, nothing was changed: 0002_made_up\.sql: syntax error/,
      )
      expect(yield* rowsOf(options, `SELECT 1 FROM pg_namespace WHERE nspname = '${options.schema}'`)).toEqual([])
    }),
  )
})

describe("migrating a database that has migrations", () => {
  it.live("adds only what is new", () =>
    Effect.gen(function* () {
      const options = yield* emptyOne
      const first = fileWith(1, "CREATE TABLE one ()")
      yield* migrate(options, [first])
      expect(yield* migrate(options, [first, fileWith(2, "CREATE TABLE two ()")])).toEqual(["0002_made_up.sql"])
      expect(yield* tableNames(options)).toEqual(["migration", "one", "two"])
    }),
  )

  it.live("refuses one that a newer build has migrated", () =>
    Effect.gen(function* () {
      const options = yield* emptyOne
      const first = fileWith(1, "CREATE TABLE one ()")
      yield* migrate(options, [first, fileWith(2, "CREATE TABLE two ()")])
      const error = yield* Effect.flip(migrate(options, [first]))
      expect(error).toMatchObject({ reason: "newerSchema" })
      expect(error.message).toContain(
        "was migrated by a newer Sluice (its migration 0002_made_up.sql, this build ends at 1)",
      )
    }),
  )

  it.live("refuses a file that was changed after it had been applied", () =>
    Effect.gen(function* () {
      const options = yield* emptyOne
      yield* migrate(options, [fileWith(1, "CREATE TABLE one ()")])
      const error = yield* Effect.flip(migrate(options, [fileWith(1, "CREATE TABLE one (more int)")]))
      expect(error).toMatchObject({ reason: "changedMigration" })
      expect(error.message).toContain("was made by another 0001_made_up.sql than this build's")
    }),
  )

  it.live("says in one sentence, without the password, that nobody answers", () =>
    Effect.gen(function* () {
      const nobody = {
        url: Redacted.make("postgres://me:secret@127.0.0.1:1/none"),
        schema: "s",
        applicationName: "test",
      }
      const error = yield* Effect.flip(migrate(nobody))
      expect(error).toMatchObject({ reason: "unreachable" })
      expect(error.message).toBe("The database at 127.0.0.1:1/none cannot be used: connect ECONNREFUSED 127.0.0.1:1.")
    }),
  )
})
