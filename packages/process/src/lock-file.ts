// A lock that is a file naming its holder, for directories that only one process may use. A holder that was killed
// leaves its file behind; the next taker sees that the process named in it is gone and takes over. It protects against
// other processes on this machine, not against other machines sharing the directory.
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { Option, Schema } from "effect"
import { identityOf } from "./process-table.ts"

const Holder = Schema.fromJsonString(Schema.Struct({ pid: Schema.Int, identity: Schema.String }))
const decodeHolder = Schema.decodeUnknownOption(Holder)
const encodeHolder = Schema.encodeSync(Holder)

/** `release` removes the file; `heldBy` is the id of the living process that has the lock. */
export type LockAttempt =
  | { readonly taken: true; readonly release: () => void }
  | { readonly taken: false; readonly heldBy: number }

/** Takes the lock or says who has it; never waits. Throws what the file system throws when `path` cannot be written. */
export const takeLockFile = (path: string): LockAttempt => {
  mkdirSync(dirname(path), { recursive: true })
  const own = encodeHolder({ pid: process.pid, identity: identityOf(process.pid) ?? "" })
  const prepared = `${path}.${process.pid}`
  for (;;) {
    writeFileSync(prepared, own, { mode: 0o600 })
    // A link either appears with its whole content or not at all, so nobody ever reads half a holder.
    const linked = linkIfFree(prepared, path)
    rmSync(prepared, { force: true })
    if (linked) return { taken: true, release: () => removeIf(path, own) }
    const found = readIfPresent(path)
    if (found === undefined) continue
    const holder = decodeHolder(found)
    if (Option.isSome(holder) && identityOf(holder.value.pid) === holder.value.identity) {
      return { taken: false, heldBy: holder.value.pid }
    }
    moveAway(path, found)
  }
}

/** Of several processes that see the same dead holder only one can rename its file; one that caught a new holder's puts it back. */
const moveAway = (path: string, expected: string): void => {
  const aside = `${path}.${process.pid}.left`
  try {
    renameSync(path, aside)
  } catch (error) {
    if (isCode(error, "ENOENT")) return
    throw error
  }
  if (readIfPresent(aside) !== expected) linkIfFree(aside, path)
  rmSync(aside, { force: true })
}

const removeIf = (path: string, content: string): void => {
  if (readIfPresent(path) === content) rmSync(path, { force: true })
}

const linkIfFree = (from: string, to: string): boolean => {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if (isCode(error, "EEXIST")) return false
    throw error
  }
}

const readIfPresent = (path: string): string | undefined => {
  try {
    return readFileSync(path, "utf8")
  } catch (error) {
    if (isCode(error, "ENOENT")) return undefined
    throw error
  }
}

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && "code" in error && error.code === code
