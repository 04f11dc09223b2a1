/**
 * A TCP proxy between a client and a server, with the faults a network has: cut, half-open, slow, refusing, and whatever a
 * hook does to the bytes. It knows no protocol; `nats-frames.ts` makes a hook that sees single NATS messages.
 */
import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import { Deferred, Effect } from "effect"

/** What to pass on instead of a chunk, in this order; an empty list swallows it. */
export type Transform = (bytes: Buffer) => ReadonlyArray<Buffer>

/** Made for every connection, so that it can remember what a protocol spreads over several chunks. */
export type ByteHook = () => { readonly toServer?: Transform; readonly toClient?: Transform }

export interface Proxy {
  readonly port: number
  /** Connections open now. */
  readonly connections: Effect.Effect<number>
  /** Ends all connections abruptly; new ones are let through. */
  readonly cut: Effect.Effect<void>
  /** Half-open: both ends stay connected and nothing passes any more, on new connections neither. */
  readonly freeze: Effect.Effect<void>
  /** Lets through what was held back, and everything after it. */
  readonly thaw: Effect.Effect<void>
  /** Cuts, and closes every new connection at once until `accept`. */
  readonly refuse: Effect.Effect<void>
  readonly accept: Effect.Effect<void>
  /** Delay of every chunk, each way, in milliseconds; the order stays. */
  readonly latency: (milliseconds: number) => Effect.Effect<void>
  /** For connections made from now on; undefined removes it. */
  readonly hook: (hook: ByteHook | undefined) => Effect.Effect<void>
  /**
   * Arms: after bytes to the server that match, the server's next answer on that connection is swallowed and the
   * connection cut. The inner effect waits until that has happened.
   */
  readonly dropNextResponseAfter: (matches: (bytes: Buffer) => boolean) => Effect.Effect<Effect.Effect<void>>
}

interface Connection {
  readonly client: Socket
  readonly server: Socket
}

interface Trap {
  readonly matches: (bytes: Buffer) => boolean
  readonly sprung: Deferred.Deferred<void>
}

export const openProxy = Effect.fn("openProxy")(function* (options: { readonly toPort: number }) {
  const open = new Set<Connection>()
  const traps = new Set<Trap>()
  let frozen = false
  let refusing = false
  let delay = 0
  let hook: ByteHook | undefined

  const accepted = (client: Socket): void => {
    if (refusing) return void client.destroy()
    const server = connect({ host: "127.0.0.1", port: options.toPort, noDelay: true })
    const connection = { client: client.setNoDelay(true), server }
    open.add(connection)
    const end = () => {
      open.delete(connection)
      client.destroy()
      server.destroy()
    }
    for (const socket of [client, server]) socket.on("error", end).on("close", end)
    const through = hook?.() ?? {}
    const state: { trap?: Trap } = {}
    const later = [delayedWriter(server), delayedWriter(client)] as const
    client.on("data", (bytes: Buffer) => {
      for (const trap of traps) {
        if (!trap.matches(bytes)) continue
        traps.delete(trap)
        state.trap = trap
      }
      for (const each of through.toServer?.(bytes) ?? [bytes]) later[0](each, delay)
    })
    server.on("data", (bytes: Buffer) => {
      if (state.trap !== undefined) {
        end()
        return Deferred.doneUnsafe(state.trap.sprung, Effect.void)
      }
      for (const each of through.toClient?.(bytes) ?? [bytes]) later[1](each, delay)
    })
    if (frozen) hold(connection)
  }

  const listener = yield* Effect.acquireRelease(listen(accepted), server =>
    Effect.callback<void>(resume => {
      server.close(() => resume(Effect.void))
      cutAll(open)
    }),
  )
  const proxy: Proxy = {
    port: (listener.address() as AddressInfo).port,
    connections: Effect.sync(() => open.size),
    cut: Effect.sync(() => cutAll(open)),
    freeze: Effect.sync(() => {
      frozen = true
      for (const each of open) hold(each)
    }),
    thaw: Effect.sync(() => {
      frozen = false
      for (const { client, server } of open) {
        client.resume()
        server.resume()
      }
    }),
    refuse: Effect.sync(() => {
      refusing = true
      cutAll(open)
    }),
    accept: Effect.sync(() => {
      refusing = false
    }),
    latency: milliseconds =>
      Effect.sync(() => {
        delay = milliseconds
      }),
    hook: next =>
      Effect.sync(() => {
        hook = next
      }),
    dropNextResponseAfter: matches =>
      Effect.sync(() => {
        const sprung = Deferred.makeUnsafe<void>()
        traps.add({ matches, sprung })
        return Deferred.await(sprung)
      }),
  }
  return proxy
})

const listen = (accepted: (client: Socket) => void) =>
  Effect.callback<ReturnType<typeof createServer>>(resume => {
    const server = createServer(accepted)
    server.on("error", error => resume(Effect.die(error)))
    server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
  })

/** Resets instead of closing: neither side gets a polite end. */
const cutAll = (open: ReadonlySet<Connection>): void => {
  for (const { client, server } of open) {
    client.resetAndDestroy()
    server.resetAndDestroy()
  }
}

const hold = ({ client, server }: Connection): void => {
  client.pause()
  server.pause()
}

/** Writes in order, each chunk at least its delay after it came: a later, shorter delay does not overtake. */
const delayedWriter = (socket: Socket) => {
  const waiting: Array<Buffer> = []
  let dueBefore = 0
  return (bytes: Buffer, delay: number): void => {
    if (delay === 0 && waiting.length === 0) return void socket.write(bytes)
    const now = performance.now()
    dueBefore = Math.max(dueBefore, now + delay)
    waiting.push(bytes)
    // Whichever timer fires first writes the oldest chunk, so that timers of different lengths cannot turn the order round.
    setTimeout(() => {
      const oldest = waiting.shift()
      if (oldest !== undefined && !socket.destroyed) socket.write(oldest)
    }, dueBefore - now)
  }
}
