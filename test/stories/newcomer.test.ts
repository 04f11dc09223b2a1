/** What a newcomer types, as processes: `npm start`'s own command on a home of its own, stopped, killed and started again. */
import { readFileSync, statSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { call, key, newHome, type Start, start } from "./npm-start.ts"

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
