/** `npm run target` and `npm run check`: looking into a running installation from outside. */
import { execFile } from "node:child_process"
import { randomUUID } from "node:crypto"
import { promisify } from "node:util"
import { describe, expect, it } from "vitest"
import { call, key, newHome, root, start } from "./npm-start.ts"

const run = promisify(execFile)

const npmRun = async (home: string, ...command: ReadonlyArray<string>): Promise<string> => {
  const env = { PATH: process.env.PATH ?? "", SLUICE_HOME: home }
  return (await run(process.execPath, ["packages/process/entry.mjs", ...command], { cwd: root, env })).stdout
}

describe("a running installation with one deployed target", () => {
  it("prints the target's own stream in order, and the checker finds every promise kept", async () => {
    const home = newHome()
    const address = await start({ SLUICE_HOME: home, SLUICE_API_KEY: key }).address()
    const { body: workspace } = await call(address, "GET", "/workspaces/slug/default")
    const W = `/workspaces/${workspace.id}`
    const make = async (method: string, path: string, body?: unknown) =>
      (await call(address, method, `${W}${path}`, body)).body.id
    const [jobAgentId, environmentId, deploymentId] = [randomUUID(), randomUUID(), randomUUID()]
    await make("PUT", `/job-agents/${jobAgentId}`, { name: "runner", type: "test-runner", config: { delaySeconds: 0 } })
    const systemId = await make("POST", "/systems", { name: "shop" })
    await make("PUT", `/environments/${environmentId}`, { name: "prod", resourceSelector: "true" })
    const deployment = { name: "web", slug: "web", resourceSelector: "true", jobAgentSelector: "true" }
    await make("PUT", `/deployments/${deploymentId}`, deployment)
    await make("PUT", `/systems/${systemId}/deployments/${deploymentId}`)
    await make("PUT", `/systems/${systemId}/environments/${environmentId}`)
    const resourceId = await make("PUT", "/resources/identifier/eu", { name: "eu", kind: "site", version: "v1" })
    await make("POST", `/deployments/${deploymentId}/versions`, { tag: "1.0.0", name: "", status: "ready" })
    const targetKey = `${resourceId}-${environmentId}-${deploymentId}`

    const settled = /"outcome":"successful"/
    let stream = ""
    while (!settled.test(stream)) stream = await npmRun(home, "services/all/src/show-target.ts", targetKey)
    const types = stream
      .trim()
      .split("\n")
      .slice(0, -1)
      .map(line => line.split(/ {2,}/)[1])
    expect(types[0]).toBe("Reconcile")
    expect(types.indexOf("JobSettled")).toBeGreaterThan(types.indexOf("JobProgressed"))

    // What the last step sent may still be on its way; a promise that stays broken ends in the test's time limit.
    let verdict = ""
    while (!/^P4 {2}kept/m.test(verdict)) {
      verdict = await npmRun(home, "services/all/src/check-journal.ts").catch(error => String(error.stdout))
    }
    for (const promise of ["P1", "P2", "P3", "P4", "P5", "P6", "P8"])
      expect(verdict).toMatch(new RegExp(`^${promise}  kept`, "m"))
  })

  it("refuses a key that is none, in one sentence", async () => {
    await expect(npmRun(newHome(), "services/all/src/show-target.ts", "nonsense")).rejects.toThrow(
      /Usage: npm run target -- <key>, where the key is <resource id>-<environment id>-<deployment id>\./,
    )
  })
})
