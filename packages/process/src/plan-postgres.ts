// Which ways there are to a Postgres server on this machine, best first: a pure function of what was seen. Data written
// by one major version can be read by that one only, so a home that has data narrows the choice to its version.
import type { FoundProgram } from "./plan-nats.ts"
import { atLeast, majorOf } from "./version.ts"

/** 14 is the oldest version its makers still repair. */
export const postgresVersionLeast = "14.0"

/** The version of the image used through Docker; the packaged binaries are of the same major version. */
const imageMajor = 18

export interface PostgresSurroundings {
  readonly platform: string
  /** Content of DATABASE_URL. */
  readonly databaseUrl: string | undefined
  /** `postgres` of the npm package for this platform, with `initdb` beside it. */
  readonly packaged: FoundProgram | undefined
  /** `postgres` of the PATH and of the system's version folders, in this order, each with `initdb` beside it. */
  readonly installed: ReadonlyArray<FoundProgram>
  /** Path of `docker`, only if its daemon answers. */
  readonly docker: string | undefined
  /** Major version of the data that the home already has. */
  readonly dataMajor: number | undefined
  /** Whether that data was written through Docker, whose user and folder layout differ. */
  readonly dataInDocker: boolean
}

export type PostgresWay =
  | { readonly way: "given"; readonly url: string }
  | { readonly way: "run"; readonly program: string; readonly version: string; readonly packaged: boolean }
  | { readonly way: "docker"; readonly docker: string; readonly image: string }

/** Ways in the order in which they are to be tried; empty when somebody has to install something first. */
export const planPostgres = (seen: PostgresSurroundings): ReadonlyArray<PostgresWay> => {
  if (seen.databaseUrl !== undefined) return [{ way: "given", url: seen.databaseUrl }]
  const ways: Array<PostgresWay> = []
  const candidates = [...(seen.packaged === undefined ? [] : [seen.packaged]), ...seen.installed]
  for (const found of seen.dataInDocker ? [] : candidates) {
    if (found.version === undefined || !atLeast(found.version, postgresVersionLeast)) continue
    if (seen.dataMajor !== undefined && majorOf(found.version) !== seen.dataMajor) continue
    ways.push({ way: "run", program: found.path, version: found.version, packaged: found === seen.packaged })
  }
  if (seen.docker !== undefined && (seen.dataMajor === undefined || seen.dataInDocker)) {
    ways.push({ way: "docker", docker: seen.docker, image: `postgres:${imageMajor}` })
  }
  return ways
}

/** What to tell a person when no way worked. */
export const postgresAdvice = (seen: PostgresSurroundings): string => {
  if (seen.dataInDocker) {
    return `The data in this SLUICE_HOME was written through Docker, which does not answer: start Docker.`
  }
  if (seen.dataMajor !== undefined) {
    return `The data in this SLUICE_HOME is of Postgres ${seen.dataMajor}, which is not on this machine: install that version, or choose another SLUICE_HOME.`
  }
  const install = seen.platform === "darwin" ? "run `brew install postgresql`" : "install the package postgresql"
  return `There is no Postgres ${majorOf(postgresVersionLeast)} or newer on this machine: ${install}, start Docker, or set DATABASE_URL to a running one.`
}
