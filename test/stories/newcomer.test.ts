/** What a newcomer types, as processes: `npm start`'s own command on a home of its own, stopped, killed and started again. */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, describe, expect, it } from "vitest"

const root = join(import.meta.dirname, "../..")
const key = `${"a1".repeat(8)}.${"b2".repeat(32)}`

class Start {
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
const newHome = (): string => {
  const home = mkdtempSync(join(tmpdir(), "sluice-newcomer-"))
  homes.push(home)
  return home
}
const start = (environment: Record<string, string>): Start => {
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
  readonly items: ReadonlyArray<{ readonly tag: string }>
}

const call = async (address: string, method: string, path: string, body?: unknown) => {
  const response = await fetch(`${address}/api/v1${path}`, {
    method,
    headers: { "x-api-key": key, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: (await response.json()) as Answer }
}

/** Publishes a version; answers the path that lists it. */
const publish = async (address: string): Promise<string> => {
  const { body: workspace } = await call(address, "GET", "/workspaces/slug/default")
  const { body: deployment } = await call(address, "POST", `/workspaces/${workspace.id}/deployments`, {
    name: "web",
    slug: "web",
  })
  const path = `/workspaces/${workspace.id}/deployments/${deployment.id}/versions`
  const { status } = await call(address, "POST", path, { tag: "1.0.0", name: "", status: "ready" })
  expect(status).toBe(200)
  return path
}

const tagsAt = async (address: string, path: string): Promise<ReadonlyArray<string>> =>
  (await call(address, "GET", path)).body.items.map(item => item.tag)

/** Processes of this home's servers that are alive. */
const serversOf = (home: string): ReadonlyArray<string> => {
  const { readdirSync } = process.getBuiltinModule("node:fs")
  return readdirSync("/proc")
    .filter(name => /^\d+$/.test(name))
    .flatMap(pid => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, "utf8")
        return line.includes(home) && /nats-server|postgres/.test(line) ? [line.replaceAll("\0", " ")] : []
      } catch {
        return [] // it ended while we looked
      }
    })
}

describe("a first start", () => {
  it("prints the key once, keeps it for its owner alone, and the next start goes on where it left off", async () => {
    const home = newHome()
    const first = start({ SLUICE_HOME: home, SLUICE_API_KEY: key })
    const address = await first.address()
    expect(await first.says(/API key of the first admin: (\S+)/)).toBe(key)
    expect(statSync(join(home, "first-key")).mode & 0o777).toBe(0o600)
    const path = await publish(address)
    const stopped = performance.now()
    first.child.kill("SIGTERM")
    expect(await first.exit).toBe(0)
    expect(performance.now() - stopped).toBeLessThan(10_000)
    expect(serversOf(home)).toEqual([])

    const begun = performance.now()
    const second = start({ SLUICE_HOME: home })
    const again = await second.address()
    expect(performance.now() - begun).toBeLessThan(10_000)
    expect(await second.says(/The API key of the first admin is in (\S+)/)).toBe(join(home, "first-key"))
    expect(second.output).not.toContain(key)
    expect(await tagsAt(again, path)).toEqual(["1.0.0"])
  })

  it("that is killed without warning loses nothing, and what it left behind is found by the next", async () => {
    const home = newHome()
    const first = start({ SLUICE_HOME: home, SLUICE_API_KEY: key })
    const path = await publish(await first.address())
    process.kill(await pidOfServices(first), "SIGKILL")
    await first.exit
    expect(serversOf(home).length).toBeGreaterThan(0)
    const second = start({ SLUICE_HOME: home })
    expect(await tagsAt(await second.address(), path)).toEqual(["1.0.0"])
  })
})

/** The entry starts the real process as its child; killing the entry alone would prove nothing. */
const pidOfServices = async (one: Start): Promise<number> => {
  const pid = one.child.pid ?? 0
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean)
  return children[0] === undefined ? pid : Number(children[0])
}

describe("a start that cannot be", () => {
  it("says in one sentence that the home is in use", async () => {
    const home = newHome()
    await start({ SLUICE_HOME: home }).address()
    const second = start({ SLUICE_HOME: home })
    expect(await second.exit).toBe(1)
    expect(second.errors.trim()).toMatch(
      /^\S+ is in use by process \d+: stop that one, or give this one another SLUICE_HOME\.$/,
    )
  })

  it("says in one sentence that the port is busy, and leaves no server running", async () => {
    const home = newHome()
    const other = createServer()
    const port = await new Promise<number>(resolve =>
      other.listen(0, "127.0.0.1", () => resolve((other.address() as { port: number }).port)),
    )
    const one = start({ SLUICE_HOME: home, PORT: String(port) })
    expect(await one.exit).toBe(1)
    expect(one.errors.trim().split("\n").at(-1)).toBe(
      `Port ${port} is in use by another process: stop that one, or set another port.`,
    )
    other.close()
    expect(serversOf(home)).toEqual([])
  })

  it("names the setting that an unknown variable was meant to be", async () => {
    const one = start({ SLUICE_HOME: newHome(), SLUICE_NAMESPCE: "x" })
    expect(await one.exit).toBe(1)
    expect(one.errors.trim()).toBe("SLUICE_NAMESPCE is not a setting of Sluice; did you mean SLUICE_NAMESPACE?")
  })
})

describe("two installations", () => {
  it("run side by side on one machine", async () => {
    const [one, two] = [
      start({ SLUICE_HOME: newHome(), SLUICE_API_KEY: key }),
      start({ SLUICE_HOME: newHome(), SLUICE_API_KEY: key }),
    ]
    const [a, b] = await Promise.all([one.address(), two.address()])
    const path = await publish(a)
    expect(await tagsAt(a, path)).toEqual(["1.0.0"])
    expect((await call(b, "GET", path)).status).toBe(404)
  })
})
