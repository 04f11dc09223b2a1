import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import { expect, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { describe } from "vitest"
import { natsHook } from "../src/nats-frames.ts"
import { openProxy } from "../src/proxy.ts"

/** A server that answers every chunk with itself, behind a proxy. */
const echoBehindProxy = Effect.gen(function* () {
  const server = yield* Effect.acquireRelease(
    Effect.callback<ReturnType<typeof createServer>>(resume => {
      const echo = createServer(socket => {
        socket.on("error", () => socket.destroy())
        socket.pipe(socket)
      })
      echo.listen(0, "127.0.0.1", () => resume(Effect.succeed(echo)))
    }),
    echo => Effect.callback<void>(resume => void echo.close(() => resume(Effect.void))),
  )
  return yield* openProxy({ toPort: (server.address() as AddressInfo).port })
})

/** Reads until `text` has come in full; fails with what came before the connection's end. */
const reads = (socket: Socket, text: string): Effect.Effect<string, string> =>
  Effect.callback(resume => {
    let received = ""
    socket.on("data", bytes => {
      received += String(bytes)
      if (received.length >= text.length) resume(Effect.succeed(received))
    })
    socket.on("close", () => resume(Effect.fail(received)))
  })

const client = (port: number) =>
  Effect.acquireRelease(
    Effect.callback<Socket>(resume => {
      const socket = connect({ host: "127.0.0.1", port }, () => resume(Effect.succeed(socket)))
      socket.on("error", () => {})
    }),
    socket => Effect.sync(() => socket.destroy()),
  )

const says = Effect.fnUntraced(function* (socket: Socket, text: string, expected = text) {
  const answer = yield* Effect.forkChild(reads(socket, expected), { startImmediately: true })
  socket.write(text)
  return yield* Fiber.join(answer)
})

describe("a proxy", () => {
  it.live("passes bytes both ways, and counts its connections", () =>
    Effect.gen(function* () {
      const proxy = yield* echoBehindProxy
      const socket = yield* client(proxy.port)
      expect(yield* says(socket, "hello")).toBe("hello")
      expect(yield* proxy.connections).toBe(1)
    }),
  )

  it.live("cuts what is open and lets the next one through", () =>
    Effect.gen(function* () {
      const proxy = yield* echoBehindProxy
      const socket = yield* client(proxy.port)
      yield* says(socket, "a")
      const cut = yield* Effect.forkChild(Effect.flip(reads(socket, "never")), { startImmediately: true })
      yield* proxy.cut
      expect(yield* Fiber.join(cut)).toBe("")
      expect(yield* says(yield* client(proxy.port), "b")).toBe("b")
    }),
  )

  it.live("holds everything back while frozen, and delivers it after the thaw", () =>
    Effect.gen(function* () {
      const proxy = yield* echoBehindProxy
      const [before, control] = [yield* client(proxy.port), yield* echoBehindProxy]
      yield* says(before, "a")
      yield* proxy.freeze
      const waiting = yield* Effect.forkChild(says(before, "held"), { startImmediately: true })
      // Another proxy's round trip is the proof that a round trip's time has passed.
      yield* says(yield* client(control.port), "passed")
      expect(waiting.pollUnsafe()).toBeUndefined()
      yield* proxy.thaw
      expect(yield* Fiber.join(waiting)).toBe("held")
    }),
  )

  it.live("refuses new connections until it accepts again", () =>
    Effect.gen(function* () {
      const proxy = yield* echoBehindProxy
      yield* proxy.refuse
      expect(yield* Effect.flip(says(yield* client(proxy.port), "a"))).toBe("")
      yield* proxy.accept
      expect(yield* says(yield* client(proxy.port), "a")).toBe("a")
    }),
  )

  it.live("delays chunks by at least the latency and keeps their order when it falls", () =>
    Effect.gen(function* () {
      const proxy = yield* echoBehindProxy
      const socket = yield* client(proxy.port)
      yield* proxy.latency(40)
      const before = performance.now()
      expect(yield* says(socket, "1")).toBe("1")
      expect(performance.now() - before).toBeGreaterThanOrEqual(78) // there and back; timers may round a millisecond down
      const slow = yield* Effect.forkChild(says(socket, "2", "23"), { startImmediately: true })
      yield* proxy.latency(0)
      socket.write("3")
      expect(yield* Fiber.join(slow)).toBe("23")
    }),
  )

  it.live("swallows the one answer it was armed for and cuts that connection alone", () =>
    Effect.gen(function* () {
      const proxy = yield* echoBehindProxy
      const [one, other] = [yield* client(proxy.port), yield* client(proxy.port)]
      const dropped = yield* proxy.dropNextResponseAfter(bytes => bytes.includes("COMMIT"))
      expect(yield* says(one, "BEGIN")).toBe("BEGIN")
      expect(yield* Effect.flip(says(one, "COMMIT"))).toBe("")
      yield* dropped
      expect(yield* says(other, "COMMIT")).toBe("COMMIT")
    }),
  )
})

describe("a proxy with a NATS hook", () => {
  const message = (subject: string, payload: string) => `PUB ${subject} ${payload.length}\r\n${payload}\r\n`

  it.live("drops, repeats and turns round single messages, however the bytes are cut", () =>
    Effect.gen(function* () {
      const proxy = yield* echoBehindProxy
      const held: Array<Buffer> = []
      yield* proxy.hook(
        natsHook({
          toServer: frame => {
            if (frame.subject === "lost") return []
            if (frame.subject === "twice") return [frame.bytes, frame.bytes]
            if (frame.subject === "late") {
              held.push(frame.bytes)
              return []
            }
            return [frame.bytes, ...held.splice(0)]
          },
        }),
      )
      const socket = yield* client(proxy.port)
      const expected = [
        "PING\r\n",
        message("twice", "b\r\nb"),
        message("twice", "b\r\nb"),
        message("next", ""),
        message("late", "PUB x 1"),
      ].join("")
      const answer = yield* Effect.forkChild(reads(socket, expected), { startImmediately: true })
      const sent = `PING\r\n${message("lost", "a")}${message("twice", "b\r\nb")}${message("late", "PUB x 1")}${message("next", "")}`
      for (const byte of Buffer.from(sent)) socket.write(Buffer.from([byte]))
      expect(yield* Fiber.join(answer)).toBe(expected)
    }),
  )

  it.live("shows subject and payload of messages with headers", () =>
    Effect.gen(function* () {
      const proxy = yield* echoBehindProxy
      const seen = yield* Deferred.make<readonly [string, string]>()
      yield* proxy.hook(
        natsHook({
          toClient: frame => {
            Deferred.doneUnsafe(seen, Effect.succeed([frame.subject, frame.payload.toString()] as const))
            return [frame.bytes]
          },
        }),
      )
      const headers = "NATS/1.0\r\nA: b\r\n\r\n"
      const frame = `HMSG a.b 1 reply ${headers.length} ${headers.length + 4}\r\n${headers}body\r\n`
      expect(yield* says(yield* client(proxy.port), frame)).toBe(frame)
      expect(yield* Deferred.await(seen)).toEqual(["a.b", "body"])
    }),
  )
})
