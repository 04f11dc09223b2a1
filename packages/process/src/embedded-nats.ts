// NATS with JetStream as a child process, everything it keeps under `nats` in the home: streams, port, users, log. Who
// connects needs credentials from the first day; Sluice's own user may do everything, others are added with the
// subjects they may use while the server runs. Only 127.0.0.1 is listened on.
import { existsSync, mkdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { Effect, Redacted, Schedule, Schema } from "effect"
import { type Home, type HomePaths, homePaths, keptSecret, writeSecretFile } from "./home.ts"
import { takeLockFile } from "./lock-file.ts"
import { keptPort } from "./loopback-port.ts"
import { NatsUser, natsConfigText, natsUsersText } from "./nats-config.ts"
import { type NatsAnswer, natsHandshake } from "./nats-handshake.ts"
import type { ObtainedNats } from "./obtain-nats.ts"
import { processesStartedWith } from "./process-table.ts"
import { runCommand } from "./run-command.ts"
import { endLeftOvers, type ManagedServer, manageServer, type ServerCommand } from "./server-process.ts"
import { ServersError } from "./servers-error.ts"

export interface EmbeddedNats {
  readonly url: string
  readonly user: string
  readonly password: Redacted.Redacted<string>
  readonly server: ManagedServer
}

export interface EmbeddedNatsOptions {
  readonly home: Home
  readonly obtained: Exclude<ObtainedNats, { readonly from: "given" }>
  /** False by default: promises about process crashes and restarts hold without it, only power failures need it. */
  readonly syncAlways: boolean
  readonly restarts: boolean
}

const ownUser = "sluice"
const portInContainer = 4222
const endings = [{ signal: "SIGTERM", milliseconds: 3_000 }] as const // it closes its stores within milliseconds; then it is stuck

/** Stops what a killed start left behind, starts the server, and keeps it running until the scope closes. */
export const startNats = Effect.fn("startNats")(function* (options: EmbeddedNatsOptions) {
  const { home, obtained } = options
  const files = natsFiles(home)
  mkdirSync(files.directory, { recursive: true, mode: 0o700 })
  const command = commandOf(home, obtained)
  yield* endLeftOvers(command)
  if (obtained.from === "docker") {
    yield* runCommand(obtained.docker, ["rm", "--force", containerName(home)], { timeoutMilliseconds: 20_000 })
  }
  const password = keptSecret(files.password)
  const port = yield* keptPort(files.port)
  const inContainer = obtained.from === "docker"
  writeUsers(home, readUsers(home))
  writeSecretFile(
    files.config,
    natsConfigText({
      name: `sluice-${home.id}`,
      host: inContainer ? "0.0.0.0" : "127.0.0.1",
      port: inContainer ? portInContainer : port,
      storeDirectory: files.store,
      usersFile: "users.conf",
      syncAlways: options.syncAlways,
    }),
  )
  const login = { port, user: ownUser, password: Redacted.value(password) }
  const server = yield* manageServer({
    command: inContainer ? { ...command, args: dockerArguments(home, obtained.image, port) } : command,
    port,
    ready: natsHandshake(login).pipe(Effect.map(answer => answer.answer === "accepted" && answer.jetstream)),
    restarts: options.restarts,
  })
  const embedded: EmbeddedNats = { url: `nats://127.0.0.1:${port}`, user: ownUser, password, server }
  return embedded
})

/**
 * Adds a user to the running embedded NATS of a home, or replaces the one of that name, and returns once it can log in.
 * Works from any process of the same system user; the server reads its users again and drops no connection of others.
 * Answers the port the server listens on.
 */
export const addNatsUser = Effect.fn("addNatsUser")(function* (homeDirectory: string, user: NatsUser) {
  const home = homePaths(homeDirectory)
  const files = natsFiles(home)
  const checked = yield* Schema.decodeEffect(NatsUser)(user).pipe(
    Effect.mapError(error =>
      invalidUser(
        `A NATS user needs a plain name, a password of 8 or more characters and valid subjects: ${error.message}`,
      ),
    ),
  )
  if (checked.name === ownUser) return yield* invalidUser(`The NATS user "${ownUser}" is Sluice's own.`)
  if (!existsSync(files.users))
    return yield* invalidUser(`${home.directory} has no embedded NATS: start Sluice there first.`)
  yield* Effect.scoped(
    Effect.gen(function* () {
      yield* lockUsers(files.usersLock)
      writeUsers(home, [...readUsers(home).filter(each => each.name !== checked.name), checked])
    }),
  )
  const running = [
    ...processesStartedWith("nats-server", files.config),
    ...processesStartedWith("docker", containerMark(home)),
  ]
  for (const pid of running) {
    yield* Effect.try({
      try: () => process.kill(pid, "SIGHUP"),
      catch: () =>
        invalidUser(
          `Process ${pid}, the NATS of ${home.directory}, belongs to another system user: run this as that one.`,
        ),
    })
  }
  const port = Number(readFileSync(files.port, "utf8"))
  if (running.length === 0) return { port } // The next start reads the users anyway.
  const login = { port, user: checked.name, password: checked.password }
  const answer = yield* natsHandshake(login).pipe(
    Effect.repeat({ until: (each: NatsAnswer) => each.answer === "accepted", schedule: Schedule.spaced(50) }),
    Effect.timeoutOption(reloadMillisecondsMax),
  )
  if (answer._tag === "None")
    return yield* invalidUser(`NATS did not accept the user "${checked.name}"; its log is ${files.log}.`)
  return { port }
})

const reloadMillisecondsMax = 5_000 // reading two small files; more means that the server refused them

/** Where the embedded NATS of a home is reached and how one logs in, from what it keeps there; undefined when it keeps none. */
export const keptNats = (home: HomePaths): Omit<EmbeddedNats, "server"> | undefined => {
  const files = natsFiles(home)
  if (!existsSync(files.port) || !existsSync(files.password)) return undefined
  const url = `nats://127.0.0.1:${readFileSync(files.port, "utf8").trim()}`
  return { url, user: ownUser, password: keptSecret(files.password) }
}

/** Names and permissions of the users that were added, Sluice's own not included. */
export const readUsers = (home: HomePaths): ReadonlyArray<NatsUser> => {
  const { users } = natsFiles(home)
  return existsSync(users) ? decodeUsers(readFileSync(users, "utf8")) : []
}

const UserList = Schema.fromJsonString(Schema.Array(NatsUser))
const decodeUsers = Schema.decodeUnknownSync(UserList)
const encodeUsers = Schema.encodeSync(UserList)

const writeUsers = (home: HomePaths, users: ReadonlyArray<NatsUser>): void => {
  const files = natsFiles(home)
  const own = { name: ownUser, password: Redacted.value(keptSecret(files.password)) }
  writeSecretFile(files.users, encodeUsers(users))
  writeSecretFile(files.usersConfig, natsUsersText([own, ...users]))
}

const lockUsers = (path: string) =>
  Effect.acquireRelease(
    Effect.suspend(() => {
      const attempt = takeLockFile(path)
      return attempt.taken
        ? Effect.succeed(attempt)
        : Effect.fail(invalidUser(`Process ${attempt.heldBy} is changing the NATS users of this home: try again.`))
    }).pipe(Effect.retry({ schedule: Schedule.spaced(50), times: 40 })), // 2 s; the other needs milliseconds
    attempt => Effect.sync(attempt.release),
  )

const natsFiles = (home: HomePaths) => ({
  directory: home.nats,
  store: join(home.nats, "store"),
  config: join(home.nats, "nats.conf"),
  users: join(home.nats, "users.json"),
  usersConfig: join(home.nats, "users.conf"),
  usersLock: join(home.nats, "users.lock"),
  password: join(home.nats, "password"),
  port: join(home.nats, "port"),
  log: join(home.nats, "nats.log"),
})

const commandOf = (home: HomePaths, obtained: EmbeddedNatsOptions["obtained"]): ServerCommand => {
  const files = natsFiles(home)
  const shared = { server: "nats", cwd: dirname(files.config), logFile: files.log, endings } as const
  return obtained.from === "docker"
    ? { ...shared, program: obtained.docker, args: [], mark: containerMark(home) }
    : { ...shared, program: obtained.program, args: ["-c", files.config], mark: files.config }
}

const containerName = (home: HomePaths) => `sluice-nats-${home.id}`
const containerMark = (home: HomePaths) => `--name=${containerName(home)}`

/** `docker run` in the foreground passes signals on, so that the client can be treated as the server. */
const dockerArguments = (home: HomePaths, image: string, port: number): ReadonlyArray<string> => [
  "run",
  "--rm",
  containerMark(home),
  ...(process.getuid === undefined ? [] : ["--user", `${process.getuid()}:${process.getgid?.() ?? 0}`]),
  "--publish",
  `127.0.0.1:${port}:${portInContainer}`,
  "--volume",
  `${home.nats}:${home.nats}`,
  image,
  "-c",
  natsFiles(home).config,
]

const invalidUser = (message: string) => new ServersError({ reason: "invalidUser", server: "nats", message })
