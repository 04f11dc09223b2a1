/** What the gateway runs: the event log, the doors for versions and reports over NATS, and at last the HTTP server. */
import type { Service } from "@sluice/process/service"
import { Effect, Redacted } from "effect"
import { bootstrap } from "./bootstrap.ts"
import { eventLog } from "./event-log.ts"
import { consumeIntake } from "./intake.ts"
import { consumeReports } from "./reports.ts"
import { listen } from "./server.ts"

/** `onListening` is told the address once it is served, such as `http://127.0.0.1:3000`. */
export const gatewayService = (onListening: (url: string) => void): Service => ({
  name: "gateway",
  actors: [{ _tag: "Set", definition: eventLog }],
  doors: true,
  run: settings =>
    Effect.gen(function* () {
      if (settings.apiKey !== undefined) {
        yield* bootstrap({ slug: settings.workspace, key: Redacted.value(settings.apiKey) })
      }
      yield* consumeIntake
      yield* consumeReports
      const { port } = yield* listen({ host: settings.host, port: settings.port })
      onListening(`http://${settings.host.includes(":") ? `[${settings.host}]` : settings.host}:${port}`)
    }),
})
