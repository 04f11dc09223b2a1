/** `npm start`'s own command as a process on a home of its own, and a caller of its API. Stops what it started after each test. */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach } from "vitest"

export const root = join(import.meta.dirname, "../..")
/** The first admin's key, for starts that are given one. */
export const key = `${"a1".repeat(8)}.${"b2".repeat(32)}`

export class Start {
  output = ""
  errors = ""
  readonly child: ChildProcess
  readonly exit: Promise<number | null>
  #changed: () => void = () => {}

  constructor(environment: Record<string, string>) {
    this.child = spawn(process.execPath, ["packages/process/entry.mjs", "services/all/src/main.ts"], {
      cwd: root,
      env: {
        PATH: process.env.PATH ?? "",
        HOME: process.env.HOME ?? "",
        HOST: "127.0.0.1",
        PORT: "0",
        SLUICE_DEMO: "off",
        ...environment,
      },
      stdio: ["ignore", "pipe", "pipe"],
    })
    this.child.stdout?.on("data", data => {
      this.output += data
      this.#changed()
    })
    this.child.stderr?.on("data", data => {
      this.errors += data
      this.#changed()
    })
    this.exit = new Promise(resolve => this.child.on("exit", code => resolve(code)))
  }

  /** The first group of `pattern` in what was printed; fails when the process ends first. */
  async says(pattern: RegExp): Promise<string> {
    let code: number | null | undefined
    const ended = this.exit.then(one => {
      code = one
    })
    while (true) {
      const match = pattern.exec(this.output)
      if (match !== null) return match[1] ?? match[0]
      if (code !== undefined) {
        throw new Error(`ended with ${code} before it said ${pattern}:\n${this.output}\n${this.errors}`)
      }
      const more = new Promise<void>(resolve => {
        this.#changed = resolve
      })
      await Promise.race([ended, more])
    }
  }

  address = (): Promise<string> => this.says(/Sluice serves (\S+)\/api\/v1/)
}

const homes: Array<string> = []
const starts: Array<Start> = []
export const newHome = (): string => {
  const home = mkdtempSync(join(tmpdir(), "sluice-newcomer-"))
  homes.push(home)
  return home
}
export const start = (environment: Record<string, string>): Start => {
  const one = new Start(environment)
  starts.push(one)
  return one
}

afterEach(async () => {
  for (const one of starts.splice(0)) {
    if (one.child.exitCode === null) one.child.kill("SIGTERM")
    await one.exit
  }
  for (const home of homes.splice(0)) rmSync(home, { recursive: true, force: true })
})

interface Answer {
  readonly id: string
  readonly items: ReadonlyArray<{ readonly tag: string; readonly id: string }>
}

/** One request to the API with the first admin's key. */
export const call = async (address: string, method: string, path: string, body?: unknown) => {
  const response = await fetch(`${address}/api/v1${path}`, {
    method,
    headers: { "x-api-key": key, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: (await response.json()) as Answer }
}
