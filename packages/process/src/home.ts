// The directory of an installation: where its parts lie, their mode bits, the lock that keeps a second start out, and
// the file with the first key. Only whoever holds the lock has a `Home`; what the servers do inside their own
// directories is theirs.
import { createHash, randomBytes } from "node:crypto"
import { chmodSync, existsSync, mkdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { Effect, Redacted, Schema } from "effect"
import { takeLockFile } from "./lock-file.ts"

export class HomeError extends Schema.TaggedError<HomeError>()("HomeError", {
  reason: Schema.Literals(["inUse", "notWritable"]),
  directory: Schema.String,
  message: Schema.String,
}) {}

export interface HomePaths {
  readonly directory: string
  /** Differs between directories and stays the same for one; names the servers of this home in the process table. */
  readonly id: string
  readonly lock: string
  readonly firstKey: string
  readonly nats: string
  readonly postgres: string
}

/** The paths of a home that exists or is created here, without taking its lock. For looking into a running installation. */
export const homePaths = (directory: string): HomePaths => {
  const wanted = resolve(directory)
  // Others may pass through but not list: the database runs as another user when Sluice runs as root, and every secret
  // in here is a file of mode 0600 or in a directory of mode 0700.
  if (!existsSync(wanted)) mkdirSync(wanted, { recursive: true, mode: 0o711 })
  const real = realpathSync(wanted)
  return {
    directory: real,
    id: createHash("sha256").update(real).digest("hex").slice(0, 12),
    lock: join(real, "lock"),
    firstKey: join(real, "first-key"),
    nats: join(real, "nats"),
    postgres: join(real, "postgres"),
  }
}

/** A home whose lock this process holds until the scope closes. */
export interface Home extends HomePaths {
  readonly locked: true
}

/** Creates the directory if needed and takes its lock. Fails with `inUse` while another living process has it. */
export const openHome = Effect.fn("openHome")(function* (directory: string) {
  const paths = yield* Effect.try({ try: () => homePaths(directory), catch: cause => notWritable(directory, cause) })
  yield* Effect.acquireRelease(takeLock(paths), release => Effect.sync(release))
  const home: Home = { ...paths, locked: true }
  return home
})

const takeLock = Effect.fnUntraced(function* (paths: HomePaths) {
  const attempt = yield* Effect.try({
    try: () => takeLockFile(paths.lock),
    catch: cause => notWritable(paths.directory, cause),
  })
  return attempt.taken ? attempt.release : yield* inUse(paths.directory, attempt.heldBy)
})

export interface FirstKey {
  readonly key: Redacted.Redacted<string>
  /** True once in the life of an installation: then the key is to be shown. */
  readonly created: boolean
  readonly path: string
}

/** The key of the first admin: what the home keeps, else `given`, else a new one; kept in a file of mode 0600. */
export const firstKey = (
  home: Home,
  given: Redacted.Redacted<string> | undefined,
): Effect.Effect<FirstKey, HomeError> =>
  Effect.try({
    try: () => {
      const path = home.firstKey
      if (existsSync(path)) return { key: Redacted.make(readFileSync(path, "utf8").trim()), created: false, path }
      const key = given ?? newApiKey()
      writeSecretFile(path, `${Redacted.value(key)}\n`)
      return { key, created: true, path }
    },
    catch: cause => notWritable(home.directory, cause),
  })

/** A random key of the contract's form: 8 bytes, a dot, 32 bytes, in hexadecimal. */
export const newApiKey = (): Redacted.Redacted<string> =>
  Redacted.make(`${randomBytes(8).toString("hex")}.${randomBytes(32).toString("hex")}`)

/** Replaces a file of mode 0600 as a whole: a reader sees the old content or the new, never a part. */
export const writeSecretFile = (path: string, content: string): void => {
  const prepared = `${path}.${process.pid}.new`
  writeFileSync(prepared, content, { mode: 0o600 })
  chmodSync(prepared, 0o600)
  renameSync(prepared, path)
}

/** The secret kept in a file of mode 0600, made from 24 random bytes the first time. */
export const keptSecret = (path: string): Redacted.Redacted<string> => {
  if (!existsSync(path)) writeSecretFile(path, randomBytes(24).toString("hex"))
  return Redacted.make(readFileSync(path, "utf8").trim())
}

const inUse = (directory: string, pid: number) =>
  new HomeError({
    reason: "inUse",
    directory,
    message: `${directory} is in use by process ${pid}: stop that one, or give this one another SLUICE_HOME.`,
  })

const notWritable = (directory: string, cause: unknown) =>
  new HomeError({
    reason: "notWritable",
    directory,
    message: `${directory} cannot be used as SLUICE_HOME: ${cause instanceof Error ? cause.message : String(cause)}.`,
  })
