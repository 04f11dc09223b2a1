import { expect, it } from "@effect/vitest"
import { natsHandshake } from "@sluice/process/nats-handshake"
import { Effect, Redacted } from "effect"
import { natsServer } from "../src/nats.ts"

it.live(
  "a NATS server for tests has JetStream, and comes back on the same port after it was killed",
  () =>
    Effect.gen(function* () {
      const { server, user, password } = yield* natsServer
      const ask = natsHandshake({ port: server.port, user, password: Redacted.value(password) })
      expect(yield* ask).toMatchObject({ answer: "accepted", jetstream: true })
      yield* server.kill
      expect(yield* ask).toMatchObject({ answer: "unreachable" })
      yield* server.start
      expect(yield* ask).toMatchObject({ answer: "accepted", jetstream: true })
    }),
  60_000,
)
