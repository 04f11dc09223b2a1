// Starting, killing and asking installations from outside, as a person or an operating system would.
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { identityOf } from "../../src/process-table.ts"

export interface Installation {
  readonly child: ChildProcess
  readonly natsPid: number
  readonly postgresPid: number
  readonly natsPort: number
  readonly postgresPort: number
  readonly natsPassword: string
  readonly databaseUrl: string
}

const started = new Set<ChildProcess>()
const homes = new Set<string>()
const program = join(import.meta.dirname, "../programs/installation.ts")

/** A home inside a directory that only its owner may enter, as under /root. */
export const newHome = (owner?: number): string => {
  const above = mkdtempSync(join(tmpdir(), "sluice-servers-"))
  const home = join(above, "home")
  mkdirSync(home, { mode: 0o711 })
  if (owner !== undefined) for (const each of [above, home]) chownSync(each, owner, owner)
  chmodSync(above, 0o700)
  homes.add(above)
  return home
}

/** Starts an installation and waits until it says where its servers are; its exit before that is an error with what it said. */
export const start = async (home: string, uid?: number): Promise<Installation> => {
  const child = spawn(process.execPath, [program, home], uid === undefined ? {} : { uid, gid: uid, cwd: "/" })
  started.add(child)
  let stdout = ""
  let stderr = ""
  child.stderr.on("data", text => {
    stderr += text
  })
  await new Promise<void>((resolve, reject) => {
    child.stdout.on("data", text => {
      stdout += text
      if (stdout.includes("\n")) resolve()
    })
    child.on("close", code => reject(new Error(`exit ${code}: ${stderr}`)))
  })
  return { child, ...JSON.parse(stdout) }
}

export const signal = async ({ child }: Installation, name: NodeJS.Signals): Promise<number | null> => {
  const exit = once(child, "exit")
  child.kill(name)
  const [code] = await exit
  return code
}

export const isRunning = (pid: number): boolean => identityOf(pid) !== undefined

/** Kills every installation that was started, whatever it is doing. */
export const killAll = async (): Promise<void> => {
  for (const child of started) {
    const exit = once(child, "exit")
    child.kill("SIGKILL")
    await exit
  }
  started.clear()
}

export const entriesOf = (directory: string): ReadonlyArray<string> =>
  existsSync(directory) ? readdirSync(directory) : []

/** Asks until the answer is yes; the test's own time limit says which one never was. */
export const until = async (question: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await question())) await new Promise(resolve => setTimeout(resolve, 10))
}

/** For the end of a test: nothing it started stays, whatever it found out, and 50 MB of database go with it. */
export const stopAll = async (): Promise<void> => {
  for (const child of started) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    const exit = once(child, "exit")
    child.kill("SIGTERM")
    await exit
  }
  started.clear()
  for (const home of homes) rmSync(home, { recursive: true, force: true })
  homes.clear()
}
