/**
 * A real nats-server with JetStream for one test file, its streams thrown away with the scope. The program is the one an
 * installation would run: found on the PATH or in the checkout's cache, fetched into it the first time.
 */
import { type EmbeddedNats, startNats } from "@sluice/process/embedded-nats"
import { lookAroundForNats } from "@sluice/process/look-around"
import { obtainNats } from "@sluice/process/obtain-nats"
import { ServersError } from "@sluice/process/servers-error"
import { Effect } from "effect"
import { quietly, temporaryHome } from "./servers.ts"

/** Address, user and password, and the server's own stop, kill and start. */
export const natsServer = Effect.gen(function* () {
  const home = yield* temporaryHome
  const seen = yield* lookAroundForNats({ natsUrl: undefined, databaseUrl: undefined })
  const obtained = yield* obtainNats(seen)
  if (obtained.from === "given") {
    return yield* new ServersError({ reason: "noneFound", server: "nats", message: "tests run their own nats-server" })
  }
  const started: EmbeddedNats = yield* startNats({ home, obtained, syncAlways: false, restarts: false })
  return started
}).pipe(quietly)
