import { expect, layer } from "@effect/vitest"
import { Storage } from "@sluice/actor/ports"
import { testStore } from "@sluice/testkit/shared"
import { is } from "drizzle-orm"
import { getTableConfig, PgTable } from "drizzle-orm/pg-core"
import { Effect } from "effect"
import { Database } from "../src/database.ts"
import { readMigrations } from "../src/migrate.ts"
import * as schema from "../src/schema.ts"

interface Column {
  readonly name: string
  readonly type: string
  readonly required: boolean
  readonly hasDefault: boolean
  readonly inKey: boolean
}

const tables = Object.values(schema)
  .filter(each => is(each, PgTable))
  .map(table => getTableConfig(table))

const described = (table: (typeof tables)[number]): ReadonlyArray<Column> => {
  const key = new Set(table.primaryKeys.flatMap(each => each.columns.map(column => column.name)))
  return table.columns
    .map(column => ({
      name: column.name,
      // Postgres spells the precision between the words.
      type: column.getSQLType().replace("timestamp (3)", "timestamp(3)"),
      required: column.notNull,
      hasDefault: column.hasDefault,
      inKey: column.primary || key.has(column.name),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

const columnsInDatabase = `
  SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS required,
         a.atthasdef AS "hasDefault", COALESCE(a.attnum = ANY (k.conkey), false) AS "inKey"
  FROM pg_attribute a LEFT JOIN pg_constraint k ON k.conrelid = a.attrelid AND k.contype = 'p'
  WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped
  ORDER BY a.attname COLLATE "C"`

layer(testStore, { excludeTestServices: true, timeout: "60 seconds" })("the drizzle definitions", it => {
  it.effect.each(tables.map(table => [table.name, table] as const))("describe %s as it was migrated", ([name, table]) =>
    Effect.gen(function* () {
      const storage = yield* Storage
      expect(described(table)).toEqual(yield* storage.query<Column>(columnsInDatabase, [name]))
    }),
  )

  it.effect("cover every table of the entity family and no other", () =>
    Effect.sync(() => {
      const entities = readMigrations().find(each => each.name === "0002_entities.sql")?.sql ?? ""
      const created = [...entities.matchAll(/^CREATE TABLE (\w+)/gm)].map(match => match[1])
      expect(tables.map(table => table.name).sort()).toEqual(created.sort())
    }),
  )

  it.effect("read counts as numbers, also where drizzle reads them", () =>
    Effect.gen(function* () {
      const database = yield* Database
      expect(yield* database.run(db => db.$count(schema.workspace))).toBe(0)
      expect(yield* database.run(db => db.execute("SELECT count(*) AS n FROM workspace"))).toMatchObject({
        rows: [{ n: 0 }],
      })
    }),
  )
})
