// The first four lines of the NATS protocol over a bare socket: enough to know that a server is up, has JetStream, and
// accepts a user. Everything beyond is the business of packages/bus, the only importer of a NATS client.
import { connect } from "node:net"
import { Effect, Option, Schema } from "effect"

export interface NatsLogin {
  readonly port: number
  readonly user: string
  readonly password: string
}

export type NatsAnswer =
  | { readonly answer: "accepted"; readonly version: string; readonly jetstream: boolean }
  | { readonly answer: "refused"; readonly why: string }
  | { readonly answer: "unreachable" }

const answerMillisecondsMax = 2_000 // loopback answers in one; a server busy recovering streams is asked again

const Info = Schema.fromJsonString(
  Schema.Struct({ version: Schema.String, jetstream: Schema.optionalKey(Schema.Boolean) }),
)
const decodeInfo = Schema.decodeUnknownOption(Info)

/** Logs in at 127.0.0.1, waits for the first PONG, and hangs up. */
export const natsHandshake = (login: NatsLogin): Effect.Effect<NatsAnswer> =>
  Effect.callback<NatsAnswer>((resume, signal) => {
    const socket = connect({ host: "127.0.0.1", port: login.port })
    const finish = (answer: NatsAnswer) => {
      socket.destroy()
      resume(Effect.succeed(answer))
    }
    let received = ""
    socket.setEncoding("utf8").setTimeout(answerMillisecondsMax, () => finish({ answer: "unreachable" }))
    socket.on("error", () => finish({ answer: "unreachable" }))
    socket.on("close", () => finish({ answer: "unreachable" }))
    socket.on("connect", () => {
      const connectOptions = {
        verbose: false,
        pedantic: false,
        user: login.user,
        pass: login.password,
        name: "sluice-start",
      }
      socket.write(`CONNECT ${JSON.stringify(connectOptions)}\r\nPING\r\n`)
    })
    socket.on("data", text => {
      received += text
      const refusal = /^-ERR '?([^'\r\n]*)/m.exec(received)
      if (refusal !== null) return finish({ answer: "refused", why: refusal[1] ?? "" })
      const info = /^INFO (.*)\r$/m.exec(received)
      if (info === null || !/^PONG\r$/m.test(received)) return
      finish(
        Option.match(decodeInfo(info[1]), {
          onNone: () => ({ answer: "refused", why: "it does not speak the NATS protocol" }),
          onSome: ({ version, jetstream }) => ({ answer: "accepted", version, jetstream: jetstream ?? false }),
        }),
      )
    })
    signal.addEventListener("abort", () => socket.destroy())
  })
