// Which ways there are to a NATS server on this machine, best first: a pure function of what was seen. Trying them one
// after the other is obtain-nats.ts; looking around is look-around.ts.
import { atLeast } from "./version.ts"

/** 2.12 brought scheduled messages, atomic batch publish and per-message time-to-live; older servers ignore them silently. */
export const natsVersionLeast = "2.12"

export interface FoundProgram {
  readonly path: string
  /** Undefined when the program would not say. */
  readonly version: string | undefined
}

export interface NatsSurroundings {
  readonly platform: string
  readonly arch: string
  /** Content of NATS_URL. */
  readonly natsUrl: string | undefined
  readonly natsOnPath: FoundProgram | undefined
  /** The copy an earlier start fetched into `cacheDirectory`. */
  readonly natsInCache: FoundProgram | undefined
  readonly cacheDirectory: string
  /** Debian itself, with apt-get, dpkg-deb and its keyring: Ubuntu's mirrors have no forky. */
  readonly debianApt: boolean
  /** Path of Homebrew's `brew`. */
  readonly brew: string | undefined
  /** Path of `docker`, only if its daemon answers. */
  readonly docker: string | undefined
  readonly releases: NatsReleases
}

export interface NatsReleases {
  readonly version: string
  readonly base: string
  readonly archives: Readonly<Record<string, { readonly file: string; readonly sha256: string } | undefined>>
}

export type NatsWay =
  | { readonly way: "given"; readonly url: string }
  | { readonly way: "run"; readonly program: string }
  | { readonly way: "apt"; readonly into: string }
  | { readonly way: "brew"; readonly brew: string }
  | {
      readonly way: "archive"
      readonly url: string
      readonly sha256: string
      readonly member: string
      readonly into: string
    }
  | { readonly way: "docker"; readonly docker: string; readonly image: string }

/** Ways in the order in which they are to be tried; empty when somebody has to install something first. */
export const planNats = (seen: NatsSurroundings): ReadonlyArray<NatsWay> => {
  if (seen.natsUrl !== undefined) return [{ way: "given", url: seen.natsUrl }]
  for (const found of [seen.natsOnPath, seen.natsInCache]) {
    if (found?.version !== undefined && atLeast(found.version, natsVersionLeast)) {
      return [{ way: "run", program: found.path }]
    }
  }
  const ways: Array<NatsWay> = []
  if (seen.platform === "linux" && seen.debianApt) ways.push({ way: "apt", into: seen.cacheDirectory })
  if (seen.platform === "darwin" && seen.brew !== undefined) ways.push({ way: "brew", brew: seen.brew })
  const archive = seen.releases.archives[`${seen.platform}-${seen.arch}`]
  if (archive !== undefined) {
    ways.push({
      way: "archive",
      url: `${seen.releases.base}/v${seen.releases.version}/${archive.file}.tar.gz`,
      sha256: archive.sha256,
      member: `${archive.file}/nats-server`,
      into: seen.cacheDirectory,
    })
  }
  if (seen.docker !== undefined) ways.push({ way: "docker", docker: seen.docker, image: "nats:2" })
  return ways
}

/** What to tell a person when no way worked; `failures` holds one clause per way that was tried. */
export const natsAdvice = (seen: NatsSurroundings, failures: ReadonlyArray<string>): string => {
  const old = [seen.natsOnPath, seen.natsInCache].find(found => found !== undefined)
  const problem =
    old === undefined
      ? "There is no nats-server on this machine"
      : `${old.path} is ${old.version ?? "of an unknown version"}, and Sluice needs ${natsVersionLeast} or newer`
  const tried = failures.length === 0 ? "" : ` (tried: ${failures.join("; ")})`
  const install = seen.platform === "darwin" ? "run `brew install nats-server`" : "put nats-server on the PATH"
  return `${problem}${tried}: ${install}, start Docker, or set NATS_URL to a running NATS with JetStream.`
}
