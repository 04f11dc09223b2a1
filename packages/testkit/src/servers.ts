/**
 * A real Postgres for tests, in a directory thrown away with the scope, without fsync. It is the same start-up code as an
 * installation's own. Restarting and killing it are verbs of the returned server; nothing starts it again by itself.
 */
import { randomUUID } from "node:crypto"
import { rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type EmbeddedPostgres, startPostgres } from "@sluice/process/embedded-postgres"
import { openHome } from "@sluice/process/home"
import { lookAroundForPostgres } from "@sluice/process/look-around"
import { planPostgres, postgresAdvice } from "@sluice/process/plan-postgres"
import { ServersError } from "@sluice/process/servers-error"
import { Effect, References } from "effect"

/** A home of its own, removed with everything in it when the scope closes. */
export const temporaryHome = Effect.acquireRelease(
  Effect.sync(() => join(tmpdir(), `sluice-test-${randomUUID()}`)),
  directory => Effect.sync(() => rmSync(directory, { recursive: true, force: true })),
).pipe(Effect.flatMap(openHome), Effect.orDie) // A test machine without a writable temporary directory runs no tests.

/** Programs' own chatter does not belong into a test report; warnings do. */
export const quietly = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provideService(effect, References.MinimumLogLevel, "Warn")

/** About a second, most of it `initdb`: start one per run (see `global-setup.ts`) and make databases on it. */
export const postgresServer = Effect.gen(function* () {
  const home = yield* temporaryHome
  const given = { natsUrl: undefined, databaseUrl: undefined }
  const seen = yield* lookAroundForPostgres(given, join(home.postgres, "data"))
  const [way] = planPostgres(seen)
  if (way === undefined || way.way === "given") {
    return yield* new ServersError({ reason: "noneFound", server: "postgres", message: postgresAdvice(seen) })
  }
  const started: EmbeddedPostgres = yield* startPostgres({ home, way, fsync: false, restarts: false })
  return started
}).pipe(quietly)
