/**
 * The run's one Postgres, as a test sees it: the server that vitest's global setup published, or, where that is not
 * configured, one started for whoever asks. Layers here are what most tests want.
 */
import type { Storage } from "@sluice/actor/ports"
import { Database } from "@sluice/store/database"
import { storageLayer } from "@sluice/store/storage"
import { Effect, Layer, Redacted } from "effect"
import { inject } from "vitest"
import { migratedDatabase } from "./database.ts"
import { postgresServer } from "./servers.ts"

declare module "vitest" {
  interface ProvidedContext {
    /** With user and password of the superuser. */
    postgresUrl: string
  }
}

/** Address of a running server; a test makes databases there and never touches the server itself. */
export const sharedPostgres = Effect.suspend(() => {
  const published: string | undefined = inject("postgresUrl")
  return published === undefined
    ? Effect.map(postgresServer, started => started.url)
    : Effect.succeed(Redacted.make(published))
})

/** Connection options of a migrated database of its own. */
export const testDatabase = Effect.flatMap(sharedPostgres, migratedDatabase)

const poolSize = 8 // tests that run transactions against each other need a handful

/** The store on a migrated database of its own, dropped when the layer's scope closes. */
export const testStore: Layer.Layer<Database | Storage> = Layer.unwrap(
  Effect.map(testDatabase, options => Layer.provideMerge(storageLayer, Database.layer({ ...options, poolSize }))),
).pipe(Layer.orDie)
