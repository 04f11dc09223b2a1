// Postgres as a child process, everything it keeps under `postgres` in the home: data, password, port, log. Created
// durable (fsync, checksums), reachable on 127.0.0.1 with a password only. Tables are the business of packages/store;
// this file goes as far as an empty database.
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { Effect, Redacted } from "effect"
import { type Home, type HomePaths, keptSecret } from "./home.ts"
import { keptPort } from "./loopback-port.ts"
import type { PostgresWay } from "./plan-postgres.ts"
import { postgresAnswers } from "./postgres-handshake.ts"
import { nameFromInside, ownedDirectory, reachablePrograms } from "./postgres-place.ts"
import { commandLineOf } from "./process-table.ts"
import { runCommand } from "./run-command.ts"
import { endLeftOvers, type ManagedServer, manageServer, type ServerCommand } from "./server-process.ts"
import { ServersError } from "./servers-error.ts"
import { databaseUser, type SystemUser } from "./unprivileged.ts"

export interface EmbeddedPostgres {
  /** With user and password. */
  readonly url: Redacted.Redacted<string>
  readonly server: ManagedServer
}

export interface EmbeddedPostgresOptions {
  readonly home: Home
  readonly way: Exclude<PostgresWay, { readonly way: "given" }>
  /** False gives up durability for speed: for tests that throw the data away. */
  readonly fsync: boolean
  readonly restarts: boolean
}

const name = "sluice" // of the superuser and of the database
const portInContainer = 5432
const createWithin = { timeoutMilliseconds: 120_000 } // a second on a laptop, a minute on a slow disk with fsync
// Fast shutdown disconnects clients and writes a checkpoint; immediate shutdown leaves replaying the log to the next
// start, but unlike SIGKILL takes the server's own children along.
const endings = [
  { signal: "SIGINT", milliseconds: 4_000 },
  { signal: "SIGQUIT", milliseconds: 1_500 },
] as const

/** Stops what a killed start left behind, creates the database if there is none, and keeps the server running until the scope closes. */
export const startPostgres = Effect.fn("startPostgres")(function* (options: EmbeddedPostgresOptions) {
  const { home, way } = options
  mkdirSync(home.postgres, { recursive: true, mode: 0o711 })
  const password = keptSecret(join(home.postgres, "password"))
  const mark = way.way === "docker" ? `--name=${containerName(home)}` : `cluster_name=sluice-${home.id}`
  yield* endLeftOvers({ server: "postgres", program: way.way === "docker" ? way.docker : way.program, mark, endings })
  // Only now: a left-over server would still have held the port this home is known by.
  const port = yield* keptPort(join(home.postgres, "port"))
  const place = { mark, port, password }
  const command =
    way.way === "docker" ? yield* containerCommand(home, way, place) : yield* programCommand(options, way, place)
  const server = yield* manageServer({ command, port, ready: postgresAnswers(port, name), restarts: options.restarts })
  const embedded: EmbeddedPostgres = { url: addressOf(port, password), server }
  return embedded
})

/** Where the embedded database of a home is reached, from what it keeps there; undefined when it keeps none. */
export const keptDatabase = (home: HomePaths): Redacted.Redacted<string> | undefined => {
  const [portFile, passwordFile] = [join(home.postgres, "port"), join(home.postgres, "password")]
  if (!existsSync(portFile) || !existsSync(passwordFile)) return undefined
  return addressOf(Number(readFileSync(portFile, "utf8")), keptSecret(passwordFile))
}

const addressOf = (port: number, password: Redacted.Redacted<string>): Redacted.Redacted<string> =>
  Redacted.make(`postgres://${name}:${Redacted.value(password)}@127.0.0.1:${port}/${name}`)

interface Place {
  readonly mark: string
  readonly port: number
  readonly password: Redacted.Redacted<string>
}

const programCommand = Effect.fnUntraced(function* (
  options: EmbeddedPostgresOptions,
  way: PostgresWay & { readonly way: "run" },
  { mark, port, password }: Place,
) {
  const { home } = options
  const data = dataDirectory(home)
  const user = yield* databaseUser(data)
  const programs = yield* Effect.try({
    try: () => reachablePrograms(way.program, way.version, user),
    catch: cause => notCreated(`its programs could not be copied: ${cause instanceof Error ? cause.message : cause}`),
  })
  if (existsSync(join(data, "PG_VERSION"))) forgetDeadOwner(data, mark)
  else yield* createData({ home, programs, user, password, fsync: options.fsync })
  const server = {
    port,
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "", // a home's path is easily longer than the 107 bytes a socket's may have
    max_connections: 200,
    shared_buffers: "128MB",
    ...(options.fsync ? {} : { fsync: "off", full_page_writes: "off", synchronous_commit: "off" }),
  }
  const command: ServerCommand = {
    server: "postgres",
    program: join(programs, "postgres"),
    args: [
      "-D",
      nameFromInside(data, user),
      ...Object.entries(server).flatMap(([key, value]) => ["-c", `${key}=${value}`]),
      "-c",
      mark,
    ],
    mark,
    cwd: data,
    env: plainEnvironment,
    uid: user?.uid,
    gid: user?.gid,
    logFile: join(home.postgres, "postgres.log"),
    endings,
  }
  return command
})

interface Creation {
  readonly home: Home
  readonly programs: string
  readonly user: SystemUser | undefined
  readonly password: Redacted.Redacted<string>
  readonly fsync: boolean
}

/** Creates the data beside its place and moves it there when complete, so that a start killed meanwhile leaves no half of it. */
const createData = Effect.fnUntraced(function* ({ home, programs, user, password, fsync }: Creation) {
  yield* Effect.logInfo("postgres: creating the database")
  for (const left of readdirSync(home.postgres).filter(each => each.startsWith(preparedPrefix))) {
    // Whoever was creating it may be at it for another moment, orphaned: removing goes on until nothing new appears.
    rmSync(join(home.postgres, left), { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
  }
  const prepared = mkdtempSync(join(home.postgres, preparedPrefix))
  ownedDirectory(prepared, user)
  const inside = { ...createWithin, cwd: prepared, env: plainEnvironment, uid: user?.uid, gid: user?.gid }
  const directory = nameFromInside(prepared, user)
  const sync = fsync ? [] : ["--no-sync"]
  const collation = ["--encoding=UTF8", "--locale=C"] // the same order of texts on every system
  const made = yield* runCommand(
    join(programs, "initdb"),
    ["-D", directory, `--username=${name}`, "--auth=trust", "--data-checksums", ...collation, ...sync],
    inside,
  )
  if (made.code !== 0) return yield* notCreated(made.stderr)
  // In single-user mode there is no port anyone could reach before the password is set.
  const statements = `ALTER USER ${name} PASSWORD '${Redacted.value(password)}';\nCREATE DATABASE ${name};\n`
  const prepareArguments = ["--single", "-D", directory, ...(fsync ? [] : ["-c", "fsync=off"]), "postgres"]
  const set = yield* runCommand(join(programs, "postgres"), prepareArguments, { ...inside, input: statements })
  if (set.code !== 0 || /^.*\b(ERROR|FATAL):/m.test(set.stderr)) return yield* notCreated(set.stderr)
  const access = join(prepared, "pg_hba.conf")
  writeFileSync(access, "host all all 127.0.0.1/32 scram-sha-256\n")
  if (user !== undefined) chownSync(access, user.uid, user.gid)
  renameSync(prepared, dataDirectory(home))
})

const preparedPrefix = "data.new-"
const containerName = (home: Home): string => `sluice-postgres-${home.id}`
const dataDirectory = (home: Home): string => join(home.postgres, "data")

/** PG… variables of the person's shell would change what the server does. */
const plainEnvironment = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith("PG")))

/**
 * A server that was killed leaves a file with its process id, and after a reboot any process may have that id: Postgres
 * then refuses to start. The lock of the home and the search for left-overs have shown that none of ours runs, so the
 * file goes, unless the id belongs to a Postgres that is not known to be another home's.
 */
const forgetDeadOwner = (data: string, ownMark: string): void => {
  const file = join(data, "postmaster.pid")
  if (!existsSync(file)) return
  const words = commandLineOf(Number(readFileSync(file, "utf8").split("\n")[0]))
  const isPostgres = words[0]?.endsWith("postgres") ?? false
  const isAnotherHomes = words.some(word => word.startsWith("cluster_name=sluice-") && word !== ownMark)
  if (!isPostgres || isAnotherHomes) rmSync(file)
}

const containerCommand = Effect.fnUntraced(function* (
  home: Home,
  { docker, image }: PostgresWay & { readonly way: "docker" },
  { mark, port, password }: Place,
) {
  yield* runCommand(docker, ["rm", "--force", containerName(home)], { timeoutMilliseconds: 20_000 })
  const data = join(home.postgres, "docker")
  mkdirSync(data, { recursive: true })
  const setup = ["--env", `POSTGRES_USER=${name}`, "--env", `POSTGRES_DB=${name}`, "--env", "POSTGRES_PASSWORD"]
  const command: ServerCommand = {
    server: "postgres",
    program: docker,
    args: [
      ...["run", "--rm", mark, "--publish", `127.0.0.1:${port}:${portInContainer}`],
      ...["--volume", `${data}:/var/lib/postgresql`, ...setup, image],
      ...["-c", "max_connections=200", "-c", "shared_buffers=128MB"],
    ],
    mark,
    cwd: home.postgres,
    // A variable without a value above is taken from here: a password among the arguments could be read by everyone.
    env: { ...plainEnvironment, POSTGRES_PASSWORD: Redacted.value(password) },
    logFile: join(home.postgres, "postgres.log"),
    endings,
  }
  return command
})

const notCreated = (said: string) =>
  new ServersError({
    reason: "didNotStart",
    server: "postgres",
    message: `The database could not be created: ${said.trim().split("\n").at(-1) ?? ""}.`,
  })
