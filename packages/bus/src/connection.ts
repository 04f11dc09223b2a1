/**
 * The one connection of a process to the broker: reaching it at start within a bound, refusing a broker that is too old,
 * and knowing from then on whether it is up. Reconnecting is the client's work and never gives up; what must be opened
 * anew afterwards is decided by whoever opened it.
 */
import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from "@nats-io/jetstream"
import { connect, type NatsConnection } from "@nats-io/transport-node"
import { BusError } from "@sluice/actor/ports"
import { Effect, Latch, Schedule, type Scope } from "effect"
import { attempt, isLoginRefused, toBusError } from "./failure.ts"

export interface ConnectionOptions {
  /** `nats://host:port`; a user and password standing in the address are used and never shown. */
  readonly servers: ReadonlyArray<string>
  readonly user?: string
  readonly pass?: string
  /** Shown by the broker's own monitoring. */
  readonly name: string
  /** Milliseconds to keep trying at start; 10 s unless told. */
  readonly startWithin?: number
}

export interface Connection {
  readonly nc: NatsConnection
  readonly js: JetStreamClient
  readonly jsm: JetStreamManager
  /** Open while connected. */
  readonly up: Latch.Latch
  /** Open while not connected. */
  readonly down: Latch.Latch
  /** Called at once when the connection drops, for work in flight whose answer will not come. */
  readonly onDown: Set<() => void>
  /** Called after every reconnect. */
  readonly onUp: Set<() => void>
}

const oldestVersion = [2, 12] as const // per-message time-to-live on every stream kind; older servers ignore it silently
const startWithinDefault = 10_000 // an embedded server recovering large streams needs seconds
const handshakeMax = 2_000 // a frozen server accepts the socket and says nothing
const reconnectWait = 250 // recovery after a broker restart must stay well under ten seconds
const reconnectJitter = 100
const pingInterval = 5_000 // with two unanswered, a frozen broker is noticed within fifteen seconds
const pingsUnansweredMax = 2
export const apiTimeout = 3_000 // stream and consumer calls take milliseconds; a restarting broker never answers
const flushMax = 1_000 // last acknowledgements go out on stop, but a dead broker does not hold the stop up

export const connection = (options: ConnectionOptions): Effect.Effect<Connection, BusError, Scope.Scope> =>
  Effect.gen(function* () {
    const nc = yield* Effect.acquireRelease(reach(options), close)
    yield* refuseOld(nc)
    const jsm = yield* attempt(() => jetstreamManager(nc, { checkAPI: false, timeout: apiTimeout }))
    yield* jetStreamReady(jsm, options)
    const self: Connection = {
      nc,
      js: jetstream(nc, { timeout: apiTimeout }),
      jsm,
      up: Latch.makeUnsafe(true),
      down: Latch.makeUnsafe(false),
      onDown: new Set(),
      onUp: new Set(),
    }
    yield* Effect.forkScoped(follow(self))
    return self
  })

/** Fails as soon as the connection drops, instead of waiting for an answer that is lost. */
export const whileUp = <A, E, R>(self: Connection, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | BusError, R> =>
  Effect.raceFirst(
    effect,
    Effect.andThen(
      self.down.await,
      Effect.fail(new BusError({ reason: "unavailable", message: "the connection to NATS dropped" })),
    ),
  )

const follow = (self: Connection): Effect.Effect<void> =>
  Effect.promise(async () => {
    for await (const status of self.nc.status()) {
      if (status.type === "disconnect") {
        self.up.closeUnsafe()
        self.down.openUnsafe()
        for (const call of [...self.onDown]) call()
      } else if (status.type === "reconnect") {
        self.down.closeUnsafe()
        self.up.openUnsafe()
        for (const call of [...self.onUp]) call()
      }
    }
  })

const reach = (options: ConnectionOptions): Effect.Effect<NatsConnection, BusError> => {
  const within = options.startWithin ?? startWithinDefault
  const where = options.servers.map(withoutLogin).join(", ")
  let last = "no answer"
  const failed = (failure: unknown) => {
    const { message } = toBusError(failure)
    last = message
    return isLoginRefused(failure)
      ? new BusError({ reason: "refused", message: `NATS at ${where} refused the login: ${message}.` })
      : new BusError({ reason: "unavailable", message })
  }
  return Effect.tryPromise({ try: () => connect(clientOptions(options)), catch: failed }).pipe(
    Effect.retry({ schedule: Schedule.spaced(reconnectWait), while: error => error.reason === "unavailable" }),
    Effect.timeoutOrElse({
      duration: within,
      orElse: () =>
        Effect.fail(
          new BusError({
            reason: "unavailable",
            message: `No NATS server could be reached at ${where} within ${within / 1000} s: ${last}.`,
          }),
        ),
    }),
  )
}

const clientOptions = (options: ConnectionOptions) => {
  const login = options.servers.map(loginOf).find(each => each !== undefined)
  const user = options.user ?? login?.user
  const pass = options.pass ?? login?.pass
  return {
    servers: options.servers.map(withoutLogin),
    ...(user === undefined ? {} : { user }),
    ...(pass === undefined ? {} : { pass }),
    name: options.name,
    timeout: handshakeMax,
    maxReconnectAttempts: -1,
    reconnectTimeWait: reconnectWait,
    reconnectJitter,
    // A broker restarted with a configuration that is being fixed must not end the process.
    ignoreAuthErrorAbort: true,
    pingInterval,
    maxPingOut: pingsUnansweredMax,
    noAsyncTraces: true,
  }
}

const loginPattern = /^([a-z]+:\/\/)?(?:([^@/]*)@)/

const loginOf = (server: string): { user: string; pass: string } | undefined => {
  const login = loginPattern.exec(server)?.[2]
  if (login === undefined) return undefined
  const colon = login.indexOf(":")
  const [user, pass] = colon < 0 ? [login, ""] : [login.slice(0, colon), login.slice(colon + 1)]
  return { user: decodeURIComponent(user), pass: decodeURIComponent(pass) }
}

const withoutLogin = (server: string): string => server.replace(loginPattern, "$1")

const refuseOld = (nc: NatsConnection): Effect.Effect<void, BusError> => {
  const version = nc.info?.version ?? "0.0.0"
  const [major = 0, minor = 0] = version.split(".").map(Number)
  const [needMajor, needMinor] = oldestVersion
  return major > needMajor || (major === needMajor && minor >= needMinor)
    ? Effect.void
    : Effect.fail(
        new BusError({
          reason: "refused",
          message: `nats-server ${version} is too old: Sluice needs nats-server ${oldestVersion.join(".")} or newer.`,
        }),
      )
}

const jetStreamReady = (jsm: JetStreamManager, options: ConnectionOptions): Effect.Effect<void, BusError> =>
  attempt(() => jsm.getAccountInfo()).pipe(
    Effect.retry(Schedule.spaced(reconnectWait)),
    Effect.asVoid,
    Effect.timeoutOrElse({
      duration: options.startWithin ?? startWithinDefault,
      orElse: () =>
        Effect.fail(
          new BusError({
            reason: "unavailable",
            message: `NATS at ${options.servers.map(withoutLogin).join(", ")} has no JetStream: start nats-server with JetStream enabled.`,
          }),
        ),
    }),
  )

const close = (nc: NatsConnection): Effect.Effect<void> =>
  attempt(() => nc.flush()).pipe(
    Effect.ignore, // a broker that is away gets no goodbye
    Effect.interruptible, // else the bound could not end it
    Effect.timeoutOption(flushMax),
    Effect.andThen(Effect.promise(() => nc.close())),
  )
