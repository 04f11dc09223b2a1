/**
 * NATS and Postgres for fault tests: servers of the test's own, that it may kill, empty and start again, each behind a proxy
 * if asked. The services get the proxy's address, the test looks past it.
 */
import { rmSync } from "node:fs"
import { join } from "node:path"
import { startNats } from "@sluice/process/embedded-nats"
import { lookAroundForNats } from "@sluice/process/look-around"
import { obtainNats } from "@sluice/process/obtain-nats"
import type { ManagedServer } from "@sluice/process/server-process"
import { Effect, Exit, Redacted, Scope } from "effect"
import { migratedDatabase } from "./database.ts"
import { withLogin } from "./installation.ts"
import { openProxy, type Proxy as TcpProxy } from "./proxy.ts"
import { postgresServer, quietly, temporaryHome } from "./servers.ts"

export interface FaultyServer {
  /** Straight to the server, with user and password. */
  readonly url: string
  /** The same, through the proxy. */
  readonly proxied: string
  readonly proxy: TcpProxy
  readonly kill: () => Promise<void>
  readonly start: () => Promise<void>
  readonly close: () => Promise<void>
}

export interface FaultyNats extends FaultyServer {
  /** While it is down: every stream is forgotten. */
  readonly empty: () => Promise<void>
}

export const faultyNats = async (): Promise<FaultyNats> => {
  const scope = Scope.makeUnsafe()
  return Effect.runPromise(
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const obtained = yield* obtainNats(yield* lookAroundForNats({ natsUrl: undefined, databaseUrl: undefined }))
      if (obtained.from === "given") return yield* Effect.die(new Error("tests run their own nats-server"))
      const nats = yield* startNats({ home, obtained, syncAlways: false, restarts: false })
      const url = withLogin(nats.url, nats.user, Redacted.value(nats.password))
      return {
        ...(yield* behindProxy(url, nats.server, scope)),
        empty: () => Promise.resolve(rmSync(join(home.nats, "store"), { recursive: true, force: true })),
      }
    }).pipe(quietly, Scope.provide(scope)),
  )
}

/** With a migrated database of its own, whose address it is. */
export const faultyPostgres = async (): Promise<FaultyServer & { readonly database: Database }> => {
  const scope = Scope.makeUnsafe()
  return Effect.runPromise(
    Effect.gen(function* () {
      const { url, server } = yield* postgresServer
      const database = yield* migratedDatabase(url)
      return { ...(yield* behindProxy(Redacted.value(database.url), server, scope)), database }
    }).pipe(Scope.provide(scope)),
  )
}
type Database = Effect.Success<ReturnType<typeof migratedDatabase>>

const behindProxy = Effect.fnUntraced(function* (address: string, server: ManagedServer, scope: Scope.Closeable) {
  const proxy = yield* openProxy({ toPort: server.port })
  const proxied = new URL(address)
  proxied.port = String(proxy.port)
  const faulty: FaultyServer = {
    url: address,
    proxied: proxied.href,
    proxy,
    kill: () => Effect.runPromise(server.kill),
    start: () => Effect.runPromise(server.start),
    close: () => Effect.runPromise(Scope.close(scope, Exit.void)),
  }
  return faulty
})
