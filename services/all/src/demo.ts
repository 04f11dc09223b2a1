/**
 * `npm run demo [-- --crash] [--apart]`: plays the demonstration on an installation made for it and thrown away afterwards (or kept in
 * SLUICE_HOME, when that names another than the usual one), and ends. Exit code 0 only if everything ended as promised.
 * The services run as a child process, so that `--crash` can kill them with SIGKILL once in each scene; `--apart` runs each
 * of the seven as a process of its own.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { type OwnChild, startChild } from "@sluice/process/child-process"
import { type Home, openHome } from "@sluice/process/home"
import { loggerLayer } from "@sluice/process/log"
import { keptPort } from "@sluice/process/loopback-port"
import { runMain } from "@sluice/process/run"
import { loadSettings, type Settings, settings as settingTable } from "@sluice/process/settings"
import { type Servers, startServers } from "@sluice/process/start-servers"
import { migrate } from "@sluice/store/migrate"
import { Effect, Redacted, Schedule } from "effect"
import { prepareAccess } from "./demonstration/access.ts"
import { DemonstrationError } from "./demonstration/failure.ts"
import { journalProof } from "./demonstration/journal-proof.ts"
import { playDemonstration } from "./demonstration/play.ts"

const giveUpAfter = 5 * 60_000
const askAgainAfter = 100
const servicesReadyWithin = 60_000

const print = (line: string): void => void process.stdout.write(`${line}\n`)

const flag = { type: "boolean", default: false } as const

const main = Effect.gen(function* () {
  const { values } = parseArgs({ options: { crash: flag, apart: flag } })
  const settings = yield* loadSettings()
  return yield* Effect.gen(function* () {
    const directory = yield* homeDirectory(settings)
    const home = yield* openHome(directory.path)
    print("Starting NATS and Postgres …")
    const servers = yield* startServers({ home, natsUrl: settings.natsUrl, databaseUrl: settings.databaseUrl })
    const database = { url: servers.databaseUrl, namespace: settings.namespace }
    yield* migrate({ ...database, schema: settings.namespace, applicationName: "sluice-demonstration" })
    const access = yield* prepareAccess(database, join(home.directory, "demonstration"))
    print("Starting the services …")
    const services = yield* startServices({ home, servers, settings, apart: values.apart })
    yield* services.ready
    const result = yield* playDemonstration({
      ...access,
      baseUrl: services.baseUrl,
      nats: {
        url: servers.natsUrl,
        ...(servers.natsLogin === undefined ? {} : servers.natsLogin),
      },
      namespace: settings.namespace,
      stateDirectory: join(home.directory, "demonstration"),
      print,
      ...(values.crash ? { crash: services.killAndStart } : {}),
      proof: acknowledged => journalProof(database, acknowledged),
      giveUpAfter,
    }).pipe(Effect.raceFirst(services.dead))
    if (!result.ok)
      return yield* new DemonstrationError({ reason: "unexpected", message: "It did not end as promised." })
    print("\nEverything ended as promised.")
    directory.discard()
  }).pipe(Effect.provide(loggerLayer(settings.log === "pretty" ? "quiet" : settings.log)), Effect.scoped)
})

interface HomeDirectory {
  readonly path: string
  /** From now on nobody needs to look into it: it goes with the scope, if it was made for this. */
  readonly discard: () => void
}

/** A temporary directory stays when something went wrong, for whoever wants to know what. */
const homeDirectory = Effect.fnUntraced(function* (settings: Settings) {
  if (settings.home !== settingTable.home.fallback) return { path: settings.home, discard: () => {} }
  const path = mkdtempSync(join(tmpdir(), "sluice-demo-"))
  let wanted = true
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      if (wanted) print(`What the demonstration left is in ${path}.`)
      else rmSync(path, { recursive: true, force: true })
    }),
  )
  const directory: HomeDirectory = {
    path,
    discard: () => {
      wanted = false
    },
  }
  return directory
})

interface RunningServices {
  readonly baseUrl: string
  readonly ready: Effect.Effect<void, DemonstrationError>
  readonly killAndStart: Effect.Effect<void, DemonstrationError>
  /** Fails when one of them ends without having been asked to. */
  readonly dead: Effect.Effect<never, DemonstrationError>
}

/** The gateway listens, so it comes last. */
const serviceNames = ["planner", "targets", "policy", "dispatcher", "verifier", "agent-bridges", "gateway"] as const

const startServices = Effect.fnUntraced(function* (options: {
  readonly home: Home
  readonly servers: Servers
  readonly settings: Settings
  readonly apart: boolean
}) {
  const { home, servers, settings, apart } = options
  // One port for all lives of the services, so that whoever talks to them finds them again.
  const port = yield* keptPort(join(home.directory, "demonstration", "port"))
  const baseUrl = `http://127.0.0.1:${port}`
  const logFile = join(home.directory, "services.log")
  const files = apart ? serviceNames.map(name => `../../${name}/src/main.ts`) : ["serve.ts"]
  const children = yield* Effect.forEach(files, file =>
    startChild({
      file: join(import.meta.dirname, file),
      mark: `--of=${home.id}/${file}`,
      environment: {
        PORT: String(port),
        HOST: "127.0.0.1",
        OPS_PORT: "0",
        NATS_URL: natsUrlOf(servers),
        DATABASE_URL: Redacted.value(servers.databaseUrl),
        SLUICE_HOME: home.directory,
        SLUICE_NAMESPACE: settings.namespace,
        SLUICE_LOG: "pretty",
      },
      logFile,
    }),
  )
  const dead = Effect.raceAllFirst(children.map(child => child.diedUnasked)).pipe(
    Effect.flatMap(how => Effect.fail(died(how, logFile))),
  )
  const ready = Effect.tryPromise(async signal => (await fetch(`${baseUrl}/api/healthz`, { signal })).ok).pipe(
    Effect.orElseSucceed(() => false),
    Effect.repeat({ until: ok => ok, schedule: Schedule.spaced(askAgainAfter) }),
    Effect.raceFirst(dead),
    Effect.timeoutOrElse({
      duration: servicesReadyWithin,
      orElse: () => Effect.fail(died(`no answer on ${baseUrl}`, logFile)),
    }),
    Effect.asVoid,
  )
  const all = (act: (child: OwnChild) => Effect.Effect<void>) =>
    Effect.forEach(children, act, { concurrency: "unbounded", discard: true })
  const killAndStart = all(child => child.kill).pipe(Effect.andThen(all(child => child.start)), Effect.andThen(ready))
  const services: RunningServices = { baseUrl, ready, killAndStart, dead }
  return services
})

const natsUrlOf = ({ natsUrl, natsLogin }: Servers): string => {
  const url = new URL(natsUrl)
  if (natsLogin !== undefined) {
    url.username = encodeURIComponent(natsLogin.user)
    url.password = encodeURIComponent(Redacted.value(natsLogin.password))
  }
  return url.href
}

const died = (how: string, logFile: string) =>
  new DemonstrationError({ reason: "unexpected", message: `The services ended (${how}); their log is ${logFile}.` })

runMain(main, { stoppedIsFailure: true })
