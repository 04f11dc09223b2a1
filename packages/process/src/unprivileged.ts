// Postgres refuses to run as root, so when Sluice does, its database runs as another user of the system. This file picks
// that user and answers whether it can reach a directory; it changes nothing but, where no fitting user exists, adds one.
import { existsSync, lstatSync, readFileSync, realpathSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { Effect } from "effect"
import { runCommand } from "./run-command.ts"
import { ServersError } from "./servers-error.ts"

export interface SystemUser {
  readonly uid: number
  readonly gid: number
}

const created = "sluice"
const userNames = ["postgres", created] // Debian's own package makes the first one

/** The user to run Postgres as: undefined when Sluice is not root and its own user will do, else the owner of existing data. */
export const databaseUser = Effect.fn("databaseUser")(function* (dataDirectory: string) {
  if (process.getuid?.() !== 0) return undefined
  if (existsSync(join(dataDirectory, "PG_VERSION"))) {
    const { uid, gid } = lstatSync(dataDirectory)
    if (uid !== 0) return { uid, gid } satisfies SystemUser
  }
  const found = findUser(userNames)
  if (found !== undefined) return found
  const added = yield* runCommand(
    "useradd",
    ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", created],
    { timeoutMilliseconds: 10_000 },
  )
  const user = findUser([created, "nobody"])
  if (user !== undefined) return user
  return yield* new ServersError({
    reason: "noUser",
    server: "postgres",
    message: `Postgres does not run as root, and no user could be added for it (${added.stderr.trim()}): run Sluice as another user.`,
  })
})

/** Whether `user` may pass through every directory down to `path` (itself included), judged by owner, group and mode bits. */
export const canReach = (user: SystemUser, path: string): boolean => {
  const { uid, gid, mode } = statSync(path)
  const bits = uid === user.uid ? mode >> 6 : gid === user.gid ? mode >> 3 : mode
  if ((bits & 0o1) === 0) return false
  const above = dirname(realpathSync(path))
  return above === path || canReach(user, above)
}

const findUser = (names: ReadonlyArray<string>): SystemUser | undefined => {
  const lines = readFileSync("/etc/passwd", "utf8").split("\n")
  for (const name of names) {
    const [, , uid, gid] = lines.find(line => line.startsWith(`${name}:`))?.split(":") ?? []
    if (uid !== undefined && gid !== undefined && Number(uid) !== 0) return { uid: Number(uid), gid: Number(gid) }
  }
  return undefined
}
