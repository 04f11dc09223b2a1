/**
 * `npm start`: servers, migrations, all services in one process, the first key, and the demonstration in front of the user
 * when the installation is empty. Goes on serving until Ctrl-C.
 */
import { firstKey, openHome } from "@sluice/process/home"
import { loggerLayer, logSettings } from "@sluice/process/log"
import { runMain } from "@sluice/process/run"
import { serve } from "@sluice/process/service"
import { describeSettings, loadSettings } from "@sluice/process/settings"
import { startServers } from "@sluice/process/start-servers"
import { Effect, Redacted } from "effect"
import { demonstrateIn } from "./demonstrate.ts"
import { services } from "./services.ts"

const print = (line: string): void => void process.stdout.write(`${line}\n`)
const say = (line: string) => Effect.sync(() => print(line))

const main = Effect.gen(function* () {
  const settings = yield* loadSettings()
  return yield* Effect.gen(function* () {
    const home = yield* openHome(settings.home)
    if (settings.log === "json") yield* logSettings(describeSettings(settings))
    const key = yield* firstKey(home, settings.apiKey)
    yield* say("Starting NATS and Postgres …")
    const servers = yield* startServers({ home, natsUrl: settings.natsUrl, databaseUrl: settings.databaseUrl })
    yield* say("Starting the services …")
    let address = ""
    yield* serve(
      services(url => {
        address = url
      }),
      { settings: { ...settings, apiKey: key.key }, ...servers },
    )
    yield* say(`Sluice serves ${address}/api/v1`)
    yield* say(
      key.created
        ? `API key of the first admin: ${Redacted.value(key.key)}`
        : `The API key of the first admin is in ${key.path}`,
    )
    if (settings.demo === "on") yield* demonstrateIn({ settings, servers, home, address, print })
    return yield* Effect.never
  }).pipe(Effect.provide(loggerLayer(settings.log)), Effect.scoped)
})

runMain(main)
