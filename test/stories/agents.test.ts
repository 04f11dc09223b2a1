/** Who executes deployments: pull agents over HTTP, agents on NATS, and what becomes of their reports. */
import { spawn } from "node:child_process"
import { join } from "node:path"
import { type Installation, openInstallation } from "@sluice/testkit/installation"
import type { Answer } from "@sluice/testkit/installation-api"
import { judge } from "@sluice/testkit/installation-judge"
import { given, when } from "@sluice/testkit/story"
import type { Scene } from "@sluice/testkit/story-scene"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

let here: Installation
beforeAll(async () => {
  here = await openInstallation()
})
afterAll(async () => {
  await here?.close()
})

const queuedJob = async (scene: Scene): Promise<Answer["body"]> => {
  const { items } = await here.feed.until(
    "a queued job",
    () => here.api.get(`W/job-agents/${scene.agentId}/jobs?status=queued&includeDispatchContext=true`),
    ({ items }) => items.length > 0,
  )
  return items[0]
}
const claim = (scene: Scene, jobId: string) =>
  here.api.call("POST", `W/job-agents/${scene.agentId}/jobs/${jobId}/claim`)
const tell = (jobId: string, body: object) => here.api.call("PUT", `W/jobs/${jobId}/status`, body)

describe("a pull agent", () => {
  const pulled = () =>
    given(here).targets("eu").agent("http-pull", {}).when.versionArrives("1.0.0").then.lastJobIs("eu", "queued")

  it("lists its queue, claims a job, and reports it to its end", async () => {
    const scene = await pulled()
    const job = await queuedJob(scene)
    expect(job.dispatchContext.version.tag).toBe("1.0.0")
    expect((await queuedJob(scene)).id).toBe(job.id) // asking takes nothing
    const claimed = await claim(scene, job.id)
    expect(claimed).toMatchObject({ status: 200, body: { id: job.id, status: "inProgress" } })
    expect((await tell(job.id, { status: "inProgress", message: "half way" })).status).toBe(202)
    expect((await tell(job.id, { status: "successful", externalId: "run-7" })).status).toBe(202)
    await when(scene).then.runs("eu", "1.0.0")
    expect(await here.api.get(`W/jobs/${job.id}`)).toMatchObject({ status: "successful", externalId: "run-7" })
  })

  it("is one of ten that claim at once, and exactly one of them gets the job", async () => {
    const scene = await pulled()
    const { id } = await queuedJob(scene)
    const answers = await Promise.all(Array.from({ length: 10 }, () => claim(scene, id)))
    expect(answers.map(answer => answer.status).sort()).toEqual([200, ...Array(9).fill(409)])
    await tell(id, { status: "successful" })
    await when(scene).then.runs("eu", "1.0.0")
  })

  it("cannot reopen a job that ended, nor end it another way", async () => {
    const scene = await pulled()
    const { id } = await queuedJob(scene)
    await claim(scene, id)
    await tell(id, { status: "successful" })
    await when(scene).then.runs("eu", "1.0.0")
    for (const status of ["inProgress", "failure"]) {
      const refused = await tell(id, { status })
      expect(refused).toMatchObject({
        status: 409,
        body: { code: "REFUSED", message: expect.stringContaining("never reopens") },
      })
    }
    expect((await tell(id, { status: "successful" })).status).toBe(202) // the same again does no harm
    expect(await here.api.get(`W/jobs/${id}`)).toMatchObject({ status: "successful", sluice: { ignoredReports: 1 } })
  })

  it("says of which attempt it speaks: a report for one that never was changes nothing", async () => {
    const scene = await pulled()
    const { id } = await queuedJob(scene)
    await claim(scene, id)
    await here.api.call("POST", `W/jobs/${id}/report`, { attempt: 7, status: "failure" })
    const job = await here.feed.until(
      "the ignored report",
      () => here.api.get(`W/jobs/${id}`),
      seen => seen.sluice.ignoredReports === 1,
    )
    expect(job.status).toBe("inProgress")
    await here.api.call("POST", `W/jobs/${id}/report`, { attempt: job.sluice.attempt, status: "successful" })
    await when(scene).then.runs("eu", "1.0.0")
  })
})

describe("a resource that leaves while its job runs", () => {
  it("has its job settled, keeps its history, and does not stay in the list of targets", async () => {
    const scene = await given(here)
      .targets("eu", "us")
      .agent("http-pull", {})
      .when.versionArrives("1.0.0")
      .then.lastJobIs("eu", "queued")
    const [job] = await scene.jobs("eu")
    expect((await claim(scene, job.id)).status).toBe(200)
    await when(scene).resourceLeaves("eu").then.lastJobIs("eu", "inProgress")
    await here.feed.until(
      "the target to be gone from the list",
      () =>
        here.api.post("W/release-targets/state", {
          deploymentId: scene.deploymentId,
          environmentId: scene.environmentId("production"),
        }),
      list => list.total === 1,
    )
    expect((await tell(job.id, { status: "successful" })).status).toBe(202)
    await here.feed.until(
      "its job to be settled",
      () => here.api.get(`W/jobs/${job.id}`),
      seen => seen.status === "successful",
    )
    expect((await scene.history("eu")).items.length).toBeGreaterThan(0)
  })
})

describe("the agent of examples/agent on NATS", () => {
  it("takes its work, carries it out and reports it", async () => {
    // Its stream comes with the first job.
    const scene = await given(here)
      .targets("eu", "us")
      .agent("nats", {})
      .when.versionArrives("1.0.0")
      .then.lastJobIs("eu", "inProgress")
      .and.lastJobIs("us", "inProgress")
    const { host, username, password } = new URL(here.natsUrl)
    const agent = spawn(process.execPath, [join(import.meta.dirname, "../../examples/agent/agent.mjs")], {
      env: {
        NATS_URL: `nats://${username}:${password}@${host}`,
        WORKSPACE_ID: here.workspaceId,
        JOB_AGENT_ID: scene.agentId,
      },
      stdio: ["ignore", "pipe", "pipe"],
    })
    let said = ""
    for (const stream of [agent.stdout, agent.stderr]) stream.on("data", (text: Buffer) => (said += text))
    try {
      await when(scene).then.runs("eu", "1.0.0").and.runs("us", "1.0.0")
    } catch (error) {
      throw new Error(`${error}\nthe agent said:\n${said}`)
    } finally {
      agent.kill("SIGKILL")
    }
  })
})

describe("the journal of these stories", () => {
  it("keeps every promise, reports after the end among them", async () => {
    const report = await judge(here)
    expect(report.seen).toMatchObject({ reopenedJobs: 0, activeJobSetsPerTargetMax: 1 })
    expect(report.seen.ignoredReports).toBeGreaterThanOrEqual(2)
  })
})
