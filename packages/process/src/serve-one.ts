/** A process of one service, or of several, beside servers that exist already: what every `main.ts` but the all-in-one's is. */
import { CrashAt } from "@sluice/actor/crash-point"
import { Effect, Redacted } from "effect"
import { crashAt } from "./crash-at.ts"
import { loggerLayer, logSettings } from "./log.ts"
import { runMain } from "./run.ts"
import { type Service, serve } from "./service.ts"
import { describeSettings, givenServers, loadSettings } from "./settings.ts"
import { splitNatsUrl } from "./start-servers.ts"

/** Needs NATS_URL and DATABASE_URL; runs until SIGINT or SIGTERM. */
export const serveUntilStopped = (services: ReadonlyArray<Service>): void =>
  runMain(
    Effect.gen(function* () {
      const settings = yield* loadSettings()
      return yield* Effect.gen(function* () {
        yield* logSettings(describeSettings(settings))
        const given = yield* givenServers(settings)
        const { url, login } = splitNatsUrl(Redacted.value(given.natsUrl))
        yield* serve(services, { settings, natsUrl: url, natsLogin: login, databaseUrl: given.databaseUrl })
        return yield* Effect.never
      }).pipe(Effect.provide(loggerLayer(settings.log)), Effect.provideService(CrashAt, crashAt()), Effect.scoped)
    }),
  )
