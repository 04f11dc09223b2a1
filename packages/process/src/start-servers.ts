// Both servers an installation stands on: those whose addresses were given, or embedded ones in its home. The one place
// where plans, fetching and starting come together. Both are started at once; the scope's end stops what was started.
import { Effect, Redacted } from "effect"
import { startNats } from "./embedded-nats.ts"
import { startPostgres } from "./embedded-postgres.ts"
import type { Home } from "./home.ts"
import { lookAroundForNats, lookAroundForPostgres } from "./look-around.ts"
import { obtainNats } from "./obtain-nats.ts"
import { planPostgres, postgresAdvice } from "./plan-postgres.ts"
import type { ManagedServer } from "./server-process.ts"
import { ServersError } from "./servers-error.ts"
import type { Environment } from "./settings.ts"

export interface StartServersOptions {
  readonly home: Home
  readonly natsUrl?: Redacted.Redacted<string> | undefined
  readonly databaseUrl?: Redacted.Redacted<string> | undefined
  /** Durable Postgres; true unless the data is thrown away anyway. */
  readonly fsync?: boolean
  /** Whether an embedded server that dies unasked is started again; true unless a test wants it dead. */
  readonly restarts?: boolean
  /** Where programs are looked for; the process's own environment unless a test says otherwise. */
  readonly environment?: Environment
}

export interface NatsLoginData {
  readonly user: string
  readonly password: Redacted.Redacted<string>
}

export interface Servers {
  /** Without user and password. */
  readonly natsUrl: string
  /** Undefined when a given address named none. */
  readonly natsLogin: NatsLoginData | undefined
  /** With user and password. */
  readonly databaseUrl: Redacted.Redacted<string>
  /** The embedded ones; undefined where an address was given. */
  readonly nats: ManagedServer | undefined
  readonly postgres: ManagedServer | undefined
}

export const startServers = Effect.fn("startServers")(function* (options: StartServersOptions) {
  const [nats, postgres] = yield* Effect.all([natsFrom(options), postgresFrom(options)], { concurrency: "unbounded" })
  const servers: Servers = {
    natsUrl: nats.url,
    natsLogin: nats.login,
    databaseUrl: postgres.url,
    nats: nats.server,
    postgres: postgres.server,
  }
  return servers
})

const natsFrom = Effect.fnUntraced(function* (options: StartServersOptions) {
  const given = { natsUrl: options.natsUrl, databaseUrl: undefined }
  const obtained = yield* obtainNats(yield* lookAroundForNats(given, options.environment))
  if (obtained.from === "given") return { ...splitNatsUrl(obtained.url), server: undefined }
  const { url, user, password, server } = yield* startNats({
    home: options.home,
    obtained,
    syncAlways: false,
    restarts: options.restarts ?? true,
  })
  return { url, login: { user, password }, server }
})

const postgresFrom = Effect.fnUntraced(function* (options: StartServersOptions) {
  const given = { natsUrl: undefined, databaseUrl: options.databaseUrl }
  const seen = yield* lookAroundForPostgres(given, `${options.home.postgres}/data`, options.environment)
  const [way] = planPostgres(seen)
  if (way === undefined) {
    return yield* new ServersError({ reason: "noneFound", server: "postgres", message: postgresAdvice(seen) })
  }
  if (way.way === "given") return { url: Redacted.make(way.url), server: undefined }
  return yield* startPostgres({
    home: options.home,
    way,
    fsync: options.fsync ?? true,
    restarts: options.restarts ?? true,
  })
})

/** Takes user and password out of an address, so that it can be printed and handed to a client that wants them apart. */
export const splitNatsUrl = (text: string): { readonly url: string; readonly login: NatsLoginData | undefined } => {
  const url = new URL(text)
  const login =
    url.username === ""
      ? undefined
      : { user: decodeURIComponent(url.username), password: Redacted.make(decodeURIComponent(url.password)) }
  url.username = ""
  url.password = ""
  return { url: url.href, login }
}
