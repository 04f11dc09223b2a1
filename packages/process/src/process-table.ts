// What the operating system says about running processes: whether one is still the one it was, and which ones were
// started with a certain argument. Linux is read from /proc, other systems are asked through `ps`. Process ids are
// reused, so nothing here trusts an id alone.
import { spawnSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { basename } from "node:path"

/**
 * A text that stays the same for the life of a process and differs for any later one with the same id:
 * boot and start tick on Linux, start time to the second elsewhere. Undefined when no such process runs (a zombie counts as gone).
 */
export const identityOf = (pid: number): string | undefined => {
  if (process.platform !== "linux") return askPs(["-o", "lstart=", "-p", String(pid)])[0]
  const stat = readIfPresent(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  // The command name stands in parentheses and may hold spaces and parentheses itself; fields are counted behind it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  if (fields[0] === "Z" || fields[0] === "X") return undefined
  const startTick = fields[19] // field 22 of proc(5)
  return `${readIfPresent("/proc/sys/kernel/random/boot_id")?.trim() ?? ""}:${startTick}`
}

/** Ids of the processes whose program is called `program` and one of whose arguments is exactly `argument`. */
export const processesStartedWith = (program: string, argument: string): ReadonlyArray<number> =>
  commandLines()
    .filter(({ words }) => basename(words[0] ?? "") === program && words.includes(argument))
    .map(({ pid }) => pid)
    .filter(pid => identityOf(pid) !== undefined)

/** The arguments a process was started with, its program first; empty when it is gone or does not show them. */
export const commandLineOf = (pid: number): ReadonlyArray<string> =>
  process.platform === "linux"
    ? (readIfPresent(`/proc/${pid}/cmdline`) ?? "").split("\0")
    : (askPs(["-o", "command=", "-p", String(pid)])[0] ?? "").split(/\s+/)

const commandLines = (): ReadonlyArray<{ readonly pid: number; readonly words: ReadonlyArray<string> }> => {
  if (process.platform !== "linux") {
    return askPs(["-axo", "pid=,command="]).map(line => {
      const [pid, ...words] = line.trim().split(/\s+/)
      return { pid: Number(pid), words }
    })
  }
  return readdirSync("/proc")
    .filter(name => /^\d+$/.test(name))
    .map(name => ({ pid: Number(name), words: commandLineOf(Number(name)) }))
}

const readIfPresent = (path: string): string | undefined => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return undefined // The process ended between listing and reading, or belongs to someone who hides it: not ours either way.
  }
}

const askPs = (options: ReadonlyArray<string>): ReadonlyArray<string> =>
  (spawnSync("ps", options, { encoding: "utf8" }).stdout ?? "").split("\n").filter(line => line.trim() !== "")
