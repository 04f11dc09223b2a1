// The first message of the Postgres protocol over a bare socket: enough to know that a server takes connections. Nothing
// is authenticated and no SQL is spoken here; that is packages/store, the only importer of a Postgres client.
import { connect } from "node:net"
import { Effect } from "effect"

const answerMillisecondsMax = 2_000 // loopback answers in one; a server busy recovering is asked again
const protocolVersion = 196_608 // 3.0, as the major number in the upper 16 bits

/**
 * True once the server asks for a password: while it starts or recovers it answers with an error instead, and a
 * container's port is open before anything listens behind it.
 */
export const postgresAnswers = (port: number, user: string): Effect.Effect<boolean> =>
  Effect.callback<boolean>((resume, signal) => {
    const socket = connect({ host: "127.0.0.1", port })
    const finish = (ready: boolean) => {
      socket.destroy()
      resume(Effect.succeed(ready))
    }
    socket.setTimeout(answerMillisecondsMax, () => finish(false))
    socket.on("error", () => finish(false))
    socket.on("close", () => finish(false))
    socket.on("connect", () => socket.write(startupMessage(user)))
    socket.on("data", bytes => finish(bytes[0] === "R".charCodeAt(0)))
    signal.addEventListener("abort", () => socket.destroy())
  })

/** Length (itself included), version, then pairs of zero-ended texts, ended by a zero. */
const startupMessage = (user: string): Buffer => {
  const parameters = Buffer.from(`user\0${user}\0database\0postgres\0\0`, "utf8")
  const head = Buffer.alloc(8)
  head.writeInt32BE(8 + parameters.length, 0)
  head.writeInt32BE(protocolVersion, 4)
  return Buffer.concat([head, parameters])
}
