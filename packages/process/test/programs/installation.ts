// An installation for the tests that kill it: opens the home of argument 1, starts both servers, says on one line where
// they are, and stays until a signal. It is what `npm start` does before it has any services.
import { Effect, Redacted } from "effect"
import { openHome } from "../../src/home.ts"
import { loggerLayer } from "../../src/log.ts"
import { runMain } from "../../src/run.ts"
import { startServers } from "../../src/start-servers.ts"

const main = Effect.gen(function* () {
  const home = yield* openHome(process.argv[2] ?? "")
  const servers = yield* startServers({ home })
  const line = {
    natsPid: yield* servers.nats?.pid ?? Effect.undefined,
    postgresPid: yield* servers.postgres?.pid ?? Effect.undefined,
    natsPort: servers.nats?.port,
    postgresPort: servers.postgres?.port,
    natsPassword: servers.natsLogin && Redacted.value(servers.natsLogin.password),
    databaseUrl: Redacted.value(servers.databaseUrl),
  }
  yield* Effect.sync(() => process.stdout.write(`${JSON.stringify(line)}\n`))
  return yield* Effect.never
})

runMain(main.pipe(Effect.scoped, Effect.provide(loggerLayer("quiet"))))
