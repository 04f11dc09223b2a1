/**
 * A real nats-server for these tests, on one port and one store for its whole life, so that it can be killed and started
 * again with what it had or with nothing. Ready means that the server itself said so, streams recovered included.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { type AddressInfo, createServer, type Server } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream"
import { connect } from "@nats-io/transport-node"
import { Bus, BusError } from "@sluice/actor/ports"
import { BusAdmin, layer } from "@sluice/bus/bus"
import { lookAroundForNats } from "@sluice/process/look-around"
import { obtainNats } from "@sluice/process/obtain-nats"
import { Context, Effect, Layer, type Scope } from "effect"

export interface TestNats {
  readonly url: string
  /** `kill -9`; returns when the process is gone. */
  readonly kill: Effect.Effect<void>
  readonly start: Effect.Effect<void>
  /** While it is down: forget every stream. */
  readonly empty: Effect.Effect<void>
  /** Stops and continues the process, as a machine that hangs would. */
  readonly signal: (name: "SIGSTOP" | "SIGCONT") => Effect.Effect<void>
}

export const testNats = (...extra: ReadonlyArray<string>): Effect.Effect<TestNats, never, Scope.Scope> =>
  Effect.gen(function* () {
    const program = yield* natsProgram
    const port = yield* freePort
    const store = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-bus-test-"))),
      directory => Effect.sync(() => rmSync(directory, { recursive: true, force: true })),
    )
    let running: ChildProcess | undefined
    const start = Effect.callback<void>(resume => {
      const child = spawn(program, ["-a", "127.0.0.1", "-p", String(port), "-js", "-sd", store, ...extra])
      running = child
      let said = ""
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        said += text
        if (said.includes("Server is ready")) resume(Effect.void)
      })
      child.on("exit", () => resume(Effect.die(new Error(`nats-server ended before it was ready: ${said}`))))
    })
    const kill = Effect.callback<void>(resume => {
      if (running === undefined || running.exitCode !== null || running.signalCode !== null) return resume(Effect.void)
      running.removeAllListeners("exit")
      running.on("exit", () => resume(Effect.void))
      running.kill("SIGKILL")
    })
    yield* Effect.acquireRelease(start, () => kill)
    return {
      url: `nats://127.0.0.1:${port}`,
      kill,
      start,
      empty: Effect.sync(() => rmSync(join(store, "jetstream"), { recursive: true, force: true })),
      signal: name =>
        Effect.gen(function* () {
          running?.kill(name)
          // A signal is on its way when `kill` returns; every thread has to have stopped before the broker is one that hangs.
          const stopped = () => threadStates(running?.pid ?? 0).every(state => state === "T")
          while (name === "SIGSTOP" && !stopped()) yield* Effect.sleep(5)
        }),
    }
  })

/** The state letter of each thread of a process, from `/proc`. */
const threadStates = (pid: number): ReadonlyArray<string> =>
  readdirSync(`/proc/${pid}/task`).map(thread =>
    readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8")
      .replace(/^.*\) /, "")
      .slice(0, 1),
  )

const natsProgram = Effect.gen(function* () {
  const obtained = yield* obtainNats(yield* lookAroundForNats({ natsUrl: undefined, databaseUrl: undefined }))
  return obtained.from === "program"
    ? obtained.program
    : yield* new BusError({ reason: "missing", message: "these tests need a nats-server that can be run" })
}).pipe(Effect.orDie)

export const freePort = Effect.callback<number>(resume => {
  const probe = createServer()
  probe.listen(0, "127.0.0.1", () => {
    const address = probe.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    probe.close(() => resume(Effect.succeed(port)))
  })
})

export interface Client {
  readonly bus: Bus["Service"]
  readonly admin: BusAdmin["Service"]
}

/** A connection of its own, as another process would have. */
export const client = (url: string, startWithin = 10_000): Effect.Effect<Client, BusError, Scope.Scope> =>
  Effect.map(Layer.build(layer({ servers: [url], namespace: "t", name: "test", startWithin })), services => ({
    bus: Context.get(services, Bus),
    admin: Context.get(services, BusAdmin),
  }))

/** Messages in a stream. */
export const storedIn = (url: string, stream: string): Effect.Effect<number> =>
  besidesTheBus(url, async jsm => (await jsm.streams.info(stream)).state.messages)

/** As somebody with the command line would. */
export const deleteStreams = (url: string, names: ReadonlyArray<string>): Effect.Effect<void> =>
  besidesTheBus(url, async jsm => {
    for (const name of names) await jsm.streams.delete(name)
  })

const besidesTheBus = <A>(url: string, ask: (jsm: JetStreamManager) => Promise<A>): Effect.Effect<A> =>
  Effect.acquireUseRelease(
    Effect.promise(() => connect({ servers: url })),
    nc => Effect.promise(async () => ask(await jetstreamManager(nc))),
    nc => Effect.promise(() => nc.close()),
  )

/** What arrived, and a wait until it is as one wants it; a wait that takes too long says what it saw. */
export const collector = <A>() => {
  const seen: Array<A> = []
  const waiting = new Set<() => void>()
  return {
    seen,
    add: (item: A): void => {
      seen.push(item)
      for (const check of [...waiting]) check()
    },
    until: (what: string, enough: (seen: ReadonlyArray<A>) => boolean): Effect.Effect<ReadonlyArray<A>> =>
      Effect.callback<ReadonlyArray<A>>(resume => {
        const check = () => {
          if (!enough(seen)) return
          waiting.delete(check)
          resume(Effect.succeed([...seen]))
        }
        waiting.add(check)
        check()
        return Effect.sync(() => void waiting.delete(check))
      }).pipe(
        Effect.timeoutOrElse({
          duration: "20 seconds",
          orElse: () => Effect.die(new Error(`waited for ${what}, saw ${JSON.stringify(seen)}`)),
        }),
      ),
  }
}

export const text = (data: Uint8Array): string => new TextDecoder().decode(data)
export const bytes = (content: string): Uint8Array => new TextEncoder().encode(content)

/** The greeting of a NATS server, for versions that cannot be had here. */
export const serverThatSays = (info: { readonly version: string }): Effect.Effect<string, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<Server>(resume => {
      const server = createServer(socket => {
        const greeting = { server_id: "x", max_payload: 1_048_576, headers: true, proto: 1, ...info }
        socket.write(`INFO ${JSON.stringify(greeting)}\r\n`)
        socket.on("error", () => socket.destroy())
        socket.on("data", said => {
          if (said.includes("PING")) socket.write("PONG\r\n")
        })
      })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    server => Effect.sync(() => server.close()),
  ).pipe(Effect.map(server => `nats://127.0.0.1:${(server.address() as AddressInfo).port}`))
