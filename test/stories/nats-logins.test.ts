/** `npm run nats-user`: a CI job and an agent get logins, the examples work with them, and nothing more is allowed. */
import { execFile, spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { join } from "node:path"
import { promisify } from "node:util"
import { connect } from "@nats-io/transport-node"
import { describe, expect, it } from "vitest"
import { call, key, newHome, root, start } from "./npm-start.ts"

const run = promisify(execFile)

/** `npm run nats-user -- …`, as the README has it; answers the printed address. */
const natsUser = async (home: string, ...args: ReadonlyArray<string>): Promise<string> => {
  const command = ["packages/process/entry.mjs", "nats/nats-user.ts", ...args]
  const { stdout } = await run(process.execPath, command, {
    cwd: root,
    env: { PATH: process.env.PATH ?? "", SLUICE_HOME: home },
  })
  return stdout.trim()
}

const example = (name: string, file: string) => join(root, "examples", name, file)

describe("a login for a CI job", () => {
  it("publishes versions of its workspace with the example, and nothing else", async () => {
    const home = newHome()
    const address = await start({ SLUICE_HOME: home, SLUICE_API_KEY: key }).address()
    const { body: workspace } = await call(address, "GET", "/workspaces/slug/default")
    const { body: deployment } = await call(address, "POST", `/workspaces/${workspace.id}/deployments`, {
      name: "web",
      slug: "web",
    })
    const url = await natsUser(home, "ci", "pipeline", "default")

    const publish = async (tag: string) => {
      const env = { PATH: process.env.PATH ?? "", NATS_URL: url, WORKSPACE: "default", GIT_COMMIT: "abc123" }
      const { stdout } = await run(process.execPath, [example("publish-version", "publish-version.mjs"), "web", tag], {
        env,
      })
      return JSON.parse(stdout) as { status: string; versionId: string }
    }
    const created = await publish("1.0.0")
    expect(created.status).toBe("created")
    expect(await publish("1.0.0")).toMatchObject({ status: "unchanged", versionId: created.versionId })
    const { body } = await call(address, "GET", `/workspaces/${workspace.id}/deployments/${deployment.id}/versions`)
    expect(body.items).toMatchObject([{ id: created.versionId, tag: "1.0.0", metadata: { "git/commit": "abc123" } }])

    const { host, username, password } = new URL(url)
    const connection = await connect({ servers: host, user: username, pass: password })
    const refused = connection.closed().then(error => error?.message)
    const forbidden: Array<string> = []
    void (async () => {
      for await (const status of connection.status()) if (status.type === "error") forbidden.push(status.error.message)
    })()
    connection.publish("sluice.intake.other.version", "{}")
    connection.publish("sluice.target.0.x.y.Reconcile", "{}")
    await connection.flush()
    await connection.flush()
    await connection.close()
    await refused
    expect(forbidden.join("\n")).toContain('"sluice.intake.other.version"')
    expect(forbidden.join("\n")).toContain('"sluice.target.0.x.y.Reconcile"')
  })
})

describe("a login for an agent", () => {
  it("runs the thirty-line example: a published version becomes its job, and its report ends the job", async () => {
    const home = newHome()
    const address = await start({ SLUICE_HOME: home, SLUICE_API_KEY: key }).address()
    const { body: workspace } = await call(address, "GET", "/workspaces/slug/default")
    const W = `/workspaces/${workspace.id}`
    const jobAgentId = randomUUID()
    await call(address, "PUT", `${W}/job-agents/${jobAgentId}`, {
      name: "my-agent",
      type: "nats",
      config: { workSeconds: 0 },
    })
    const url = await natsUser(home, "agent", "my-agent", workspace.id, jobAgentId)
    const agent = spawn(process.execPath, [example("agent", "agent.mjs")], {
      env: { PATH: process.env.PATH ?? "", NATS_URL: url, WORKSPACE_ID: workspace.id, JOB_AGENT_ID: jobAgentId },
      stdio: ["ignore", "pipe", "inherit"],
    })
    try {
      const lines: Array<string> = []
      const said = (text: string) =>
        new Promise<void>((resolve, reject) => {
          const look = () => lines.join("").includes(text) && resolve()
          agent.stdout.on("data", data => {
            lines.push(String(data))
            look()
          })
          agent.on("exit", code => reject(new Error(`the agent ended with ${code} before it said "${text}"`)))
          look()
        })
      const waiting = said("waiting for jobs")
      const worked = said("successful web 1.0.0 runs on eu")
      await waiting
      const { body: system } = await call(address, "POST", `${W}/systems`, { name: "shop" })
      const { body: deployment } = await call(address, "POST", `${W}/deployments`, {
        name: "web",
        slug: "web",
        resourceSelector: "true",
        jobAgentSelector: 'jobAgent.name == "my-agent"',
      })
      const { body: environment } = await call(address, "POST", `${W}/environments`, {
        name: "prod",
        resourceSelector: "true",
      })
      await call(address, "PUT", `${W}/systems/${system.id}/deployments/${deployment.id}`)
      await call(address, "PUT", `${W}/systems/${system.id}/environments/${environment.id}`)
      await call(address, "PUT", `${W}/resources/identifier/eu`, { name: "eu", kind: "site", version: "v1" })
      await call(address, "POST", `${W}/deployments/${deployment.id}/versions`, {
        tag: "1.0.0",
        name: "",
        status: "ready",
      })
      await worked
    } finally {
      agent.removeAllListeners("exit")
      agent.kill()
    }
  })
})
