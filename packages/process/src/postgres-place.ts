// Where Postgres runs from when the user it runs as cannot reach its files, as in a checkout under /root: binaries are
// copied once to a folder everyone may read, and the data directory is entered by Sluice before it gives up its rights.
// The data itself always stays in the home.
import { chownSync, cpSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs"
import { dirname, join } from "node:path"
import { canReach, type SystemUser } from "./unprivileged.ts"

const sharedPrograms = "/var/lib/sluice" // only root comes here, and only root can write there

/** The folder with `postgres` and `initdb` that `user` can run: where they are, or a copy. */
export const reachablePrograms = (postgres: string, version: string, user: SystemUser | undefined): string => {
  const binaries = dirname(postgres)
  if (user === undefined || canReach(user, binaries)) return binaries
  const copy = join(sharedPrograms, `postgres-${version}`)
  if (!existsSync(copy)) {
    const prepared = `${copy}.${process.pid}.new`
    mkdirSync(prepared, { recursive: true, mode: 0o755 })
    // Libraries are found relative to the program, so the folder above goes as a whole, links as links.
    cpSync(dirname(binaries), prepared, { recursive: true, verbatimSymlinks: true })
    if (existsSync(copy)) rmSync(prepared, { recursive: true })
    else renameSync(prepared, copy)
  }
  return join(copy, "bin")
}

/** Creates a directory of mode 0700 that belongs to the user Postgres runs as. */
export const ownedDirectory = (path: string, user: SystemUser | undefined): void => {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  if (user !== undefined) chownSync(path, user.uid, user.gid)
}

/**
 * How to name `directory` to a program that is started inside it. Under /root its real name is of no use to another
 * user, but Linux lets a process go on in a directory that it was started in, under this name.
 */
export const nameFromInside = (directory: string, user: SystemUser | undefined): string =>
  user === undefined || canReach(user, directory) ? directory : "/proc/self/cwd"
