/**
 * A migrated database of its own for each test that asks: copied from a template, which the first one to come makes. On
 * any Postgres server; `shared.ts` says which one a test uses.
 */
import { createHash, randomUUID } from "node:crypto"
import { type ConnectionOptions, openConnection } from "@sluice/store/connection"
import { migrate, readMigrations } from "@sluice/store/migrate"
import { Effect, Redacted } from "effect"

export const testSchema = "sluice"

/** An empty database without any schema of ours, dropped when the scope closes. */
export const emptyDatabase = (server: Redacted.Redacted<string>) => newDatabase(server, "template0")

/** A database with all tables and no rows, dropped when the scope closes. About 40 ms after the first. */
export const migratedDatabase = Effect.fn("migratedDatabase")(function* (server: Redacted.Redacted<string>) {
  return yield* newDatabase(server, yield* templateOn(server))
})

const newDatabase = Effect.fnUntraced(function* (server: Redacted.Redacted<string>, template: string) {
  const name = `test_${randomUUID().replaceAll("-", "")}`
  yield* Effect.acquireRelease(
    administer(server, [
      // The default strategy writes every page to the log, which costs more than copying a few files here.
      `CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY file_copy`,
      // Without fsync a killed server still keeps what it acknowledged, in the page cache; with asynchronous commits, which
      // the embedded server uses beside it, it does not.
      `ALTER DATABASE ${name} SET synchronous_commit = on`,
    ]),
    () => Effect.orDie(administer(server, [`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`])),
  )
  return optionsFor(server, name)
})

/** Named after its migrations, so that a server kept over several runs never copies an older one. */
const templateOn = Effect.fnUntraced(function* (server: Redacted.Redacted<string>) {
  const checksums = readMigrations().map(each => each.checksum)
  const name = `template_${createHash("sha256").update(checksums.join()).digest("hex").slice(0, 16)}`
  yield* Effect.scoped(
    Effect.gen(function* () {
      const client = yield* openConnection(optionsFor(server, undefined))
      const query = (text: string) => Effect.promise(() => client.query(text))
      yield* query(`SELECT pg_advisory_lock(${templateLock})`) // given back with the connection
      if ((yield* query(`SELECT 1 FROM pg_database WHERE datname = '${name}'`)).rows.length > 0) return
      const building = `${name}_building` // whoever dies while migrating leaves no half template under the real name
      yield* query(`DROP DATABASE IF EXISTS ${building}`)
      yield* query(`CREATE DATABASE ${building} TEMPLATE template0 STRATEGY file_copy`)
      yield* migrate(optionsFor(server, building))
      yield* query(`ALTER DATABASE ${building} RENAME TO ${name}`)
    }),
  )
  return name
})

const templateLock = 72_002

const administer = (server: Redacted.Redacted<string>, statements: ReadonlyArray<string>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const client = yield* openConnection(optionsFor(server, undefined))
      for (const text of statements) yield* Effect.promise(() => client.query(text))
    }),
  )

const optionsFor = (server: Redacted.Redacted<string>, name: string | undefined): ConnectionOptions => {
  const url = new URL(Redacted.value(server))
  if (name !== undefined) url.pathname = `/${name}`
  return { url: Redacted.make(url.href), schema: testSchema, applicationName: "sluice-test" }
}
