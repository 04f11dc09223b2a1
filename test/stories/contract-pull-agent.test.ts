/**
 * An agent that pulls over plain HTTP, and everything a reader of the contract then looks at: the queue, the claim, the
 * report, the job in its three shapes, the target's state, its release, what its verification measured, and why.
 */
import { type Installation, openInstallation } from "@sluice/testkit/installation"
import type { Answer } from "@sluice/testkit/installation-api"
import { judge } from "@sluice/testkit/installation-judge"
import { given } from "@sluice/testkit/story"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

let here: Installation
beforeAll(async () => {
  here = await openInstallation()
})
afterAll(() => here?.close())

type Body = Answer["body"]

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
/** RFC 3339, as Go's clients parse it. */
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/
const aTime = expect.stringMatching(time)
const anId = expect.stringMatching(uuid)

/** Every field the contract requires of a job, with its JSON type, and ours under `sluice`. */
const aJob = (more: object = {}) => ({
  id: anId,
  releaseId: anId,
  jobAgentId: anId,
  jobAgentConfig: expect.any(Object),
  metadata: expect.any(Object),
  status: expect.any(String),
  createdAt: aTime,
  updatedAt: aTime,
  sluice: { attempt: 1, try: 1, deadline: aTime, ignoredReports: expect.any(Number) },
  ...more,
})
const aVersion = (tag: string) => ({
  id: anId,
  deploymentId: anId,
  tag,
  name: tag,
  status: "ready",
  config: expect.any(Object),
  jobAgentConfig: expect.any(Object),
  metadata: expect.any(Object),
  createdAt: aTime,
})
const aRelease = (tag: string) => ({
  id: anId,
  createdAt: aTime,
  releaseTarget: { resourceId: anId, environmentId: anId, deploymentId: anId },
  variables: {},
  encryptedVariables: [],
  version: aVersion(tag),
})

const pulling = async () => {
  const scene = await given(here)
    .agent("http-pull", { team: "a", nested: { agent: 1 } })
    .targets("eu")
    .scene()
  const agent = `W/job-agents/${scene.agentId}`
  const queued = () =>
    here.feed.until(
      "a job in the agent's queue",
      () => here.api.get(`${agent}/jobs?status=queued`),
      (page: Body) => page.items.length > 0,
    )
  return { scene, agent, queued }
}

describe("a pull agent", () => {
  it("sees its job in the queue, claims it against nine others, reports, and everybody reads the same", async () => {
    const { scene, agent, queued } = await pulling()
    await scene.publish("1.0.0", { jobAgentConfig: { nested: { version: 2 } }, metadata: { "git/commit": "abc" } })
    const page = await queued()
    const jobAgentConfig = { team: "a", nested: { agent: 1, version: 2 } }
    expect(page).toEqual({
      items: [aJob({ status: "queued", jobAgentConfig, metadata: { "git/commit": "abc" } })],
      total: 1,
      limit: 50,
      offset: 0,
    })
    const [job] = page.items
    const withContext = await here.api.get(`${agent}/jobs?status=queued&includeDispatchContext=true`)
    expect(withContext.items[0].dispatchContext).toMatchObject({ jobAgentConfig, version: aVersion("1.0.0") })

    const claims = await Promise.all(
      Array.from({ length: 10 }, () => here.api.call("POST", `${agent}/jobs/${job.id}/claim`)),
    )
    expect(claims.map(claim => claim.status).sort()).toEqual([200, ...Array.from({ length: 9 }, () => 409)])
    const claimed = claims.find(claim => claim.status === 200)?.body
    const running = { status: "inProgress", startedAt: aTime, dispatchContext: expect.any(Object) }
    expect(claimed).toEqual(aJob({ ...running, jobAgentConfig, metadata: { "git/commit": "abc" } }))
    expect(claimed.dispatchContext).toMatchObject({
      jobAgent: { id: scene.agentId, config: jobAgentConfig, type: "http-pull", metadata: {} },
      deployment: { id: scene.deploymentId, slug: scene.deploymentName, jobAgentConfig: {} },
      environment: { id: scene.environmentId("production"), createdAt: aTime },
      resource: { identifier: scene.target("eu").identifier, createdAt: aTime, config: {} },
      release: aRelease("1.0.0"),
      variables: {},
    })
    expect((await here.api.call("POST", `W/job-agents/${job.id}/jobs/${job.id}/claim`)).status).toBe(404)
    expect((await here.api.call("POST", `${agent}/jobs/${scene.agentId}/claim`)).status).toBe(404)

    const status = (body: unknown) => here.api.call("PUT", `W/jobs/${job.id}/status`, body)
    expect((await status("successful")).status).toBe(400)
    expect((await status({ status: "in_progress" })).status).toBe(400)
    expect(await status({ status: "successful" })).toMatchObject({ status: 202, body: { id: job.id } })
    expect((await status({ status: "successful" })).status, "the same report again").toBe(202)
    expect((await status({ status: "failure" })).status, "a job that ended never reopens").toBe(409)

    const state = await here.feed.until(
      "the target to run 1.0.0",
      () => scene.state("eu"),
      now => now.currentRelease !== undefined && now.sluice.phase === "idle",
    )
    const ended = aJob({
      status: "successful",
      startedAt: aTime,
      completedAt: aTime,
      jobAgentConfig,
      metadata: expect.any(Object),
    })
    expect(state).toEqual({
      desiredRelease: aRelease("1.0.0"),
      currentRelease: aRelease("1.0.0"),
      latestJob: { job: ended, verifications: [] },
      sluice: { phase: "idle", lastKnownGoodReleaseId: job.releaseId, quarantined: [] },
    })
    expect(await here.api.get(`W/jobs/${job.id}`)).toEqual({ ...ended, dispatchContext: expect.any(Object) })
  })

  it("leaves jobs that are listed with their release, and flat beside it", async () => {
    const { scene, queued } = await pulling()
    await scene.publish("2.0.0")
    const [job] = (await queued()).items
    const { items, limit } = await here.api.get("W/jobs?limit=1")
    expect(limit).toBe(1)
    const entities = {
      deployment: expect.objectContaining({ id: scene.deploymentId, jobAgentSelector: expect.any(String) }),
      environment: expect.objectContaining({ id: scene.environmentId("production"), name: expect.any(String) }),
      resource: expect.objectContaining({ identifier: scene.target("eu").identifier, kind: "Site" }),
    }
    expect(items).toEqual([{ ...aJob(), job: aJob(), release: aRelease("2.0.0"), ...entities }])
    const single = await here.api.get(`W/jobs/${job.id}/with-release`)
    expect(single).toEqual({
      job: aJob({ dispatchContext: expect.any(Object) }),
      release: aRelease("2.0.0"),
      ...entities,
    })

    const { key } = scene.target("eu")
    expect((await here.api.get(`W/release-targets/${key}/jobs?cel=true`)).items).toEqual([aJob()])
    expect(await here.api.get(`W/release-targets/${key.toUpperCase()}/desired-release`)).toEqual({
      desiredRelease: aRelease("2.0.0"),
    })
    expect(await here.api.get(`W/releases/${job.releaseId}`)).toEqual(aRelease("2.0.0"))
    const where = { deploymentId: scene.deploymentId, environmentId: scene.environmentId("production") }
    expect(await here.api.post("W/release-targets/state", where)).toMatchObject({
      items: [{ releaseTarget: where, state: { desiredRelease: aRelease("2.0.0") } }],
      total: 1,
    })
  })

  it("that was never there leaves a job that says so, with an empty agent id", async () => {
    const scene = await given(here).targets("eu").scene()
    await here.api.delete(`W/job-agents/${scene.agentId}`)
    await scene.publish("1.0.0")
    const [job] = await here.feed.until(
      "a job",
      () => scene.jobs("eu"),
      jobs => jobs.length > 0,
    )
    expect(job).toMatchObject({
      status: "invalidJobAgent",
      jobAgentId: "",
      message: expect.any(String),
      completedAt: aTime,
    })
  })
})

describe("a target that waits", () => {
  it("says which rule holds it and on what, and for whom it would look again", async () => {
    const scene = await given(here)
      .policy({ anyApproval: { minApprovals: 1 } })
      .targets("eu")
      .scene()
    const version = await scene.publish("1.0.0")
    const { key } = scene.target("eu")
    const state = await here.feed.until(
      "eu to be blocked",
      () => scene.state("eu"),
      now => now.sluice?.blocked !== undefined,
    )
    expect(state.sluice).toMatchObject({ phase: "waiting", quarantined: [] })
    expect(state.sluice.blocked).toMatchObject({
      rule: "anyApproval",
      reason: expect.stringContaining("0 of 1"),
      waitsOn: [expect.any(String)],
    })
    const answer = { sequence: expect.any(Number), at: aTime, phase: "waiting", answer: expect.any(Object) }
    expect(await scene.why("eu")).toMatchObject(answer)
    expect(await here.api.get(`W/release-targets/${key}/why?versionId=${version.id}`)).toMatchObject(answer)
    expect((await here.api.call("GET", `W/release-targets/${key}/why?at=2020-01-01T00:00:00Z`)).status).toBe(404)
    expect(await scene.history("eu")).toMatchObject({ items: [answer], versions: expect.any(Array) })

    const approvals = `W/deployment-versions/${version.id}/user-approval-records`
    const environmentIds = [scene.environmentId("production")]
    expect(await here.api.call("PUT", approvals, { environmentIds, status: "approved" })).toMatchObject({
      status: 202,
      body: { id: version.id },
    })
    await here.feed.until(
      "eu to run 1.0.0",
      () => scene.state("eu"),
      now => now.currentRelease?.version.tag === "1.0.0",
    )
    expect((await here.api.get(approvals)).items).toEqual([
      { versionId: version.id, environmentId: environmentIds[0], userId: anId, status: "approved", createdAt: aTime },
    ])
  })
})

describe("a target that was verified", () => {
  it("shows each metric as it was written, with what was measured", async () => {
    const scene = await given(here).verified({ count: 2 }).targets("eu").scene()
    await scene.publish("1.0.0")
    const done = await here.feed.until(
      "eu to be confirmed",
      () => scene.state("eu"),
      now => now.sluice?.phase === "idle" && now.currentRelease !== undefined,
    )
    const [verification] = done.latestJob.verifications
    expect(verification).toMatchObject({ id: anId, jobId: done.latestJob.job.id, status: "passed", createdAt: aTime })
    const [metric] = verification.metrics
    expect(metric).toMatchObject({ name: "error rate", count: 2, intervalSeconds: 1, provider: { type: "http" } })
    expect(metric).not.toHaveProperty("failureThreshold")
    expect(metric.measurements).toHaveLength(2)
    expect(metric.measurements[0]).toMatchObject({ status: "passed", measuredAt: aTime })
  })

  it("is asked with a malformed version to release from quarantine, refuses, and goes on", async () => {
    const scene = await given(here).targets("eu").running("1.0.0").scene()
    const act = (name: string, body: object) =>
      here.api.call("POST", `W/release-targets/${scene.target("eu").key}/${name}`, body)
    expect((await act("release-quarantine", { reason: "typo", versionId: "1.0.0" })).status).toBe(400)
    expect((await act("release-quarantine", { reason: "none is" })).status).toBe(409)
    expect((await act("redeploy", {})).status).toBe(400)
    expect((await act("redeploy", { reason: "once more" })).status).toBe(202)
    await here.feed.until(
      "a second try",
      () => scene.jobs("eu"),
      jobs => jobs[0]?.sluice.try === 2 && jobs[0]?.status === "successful",
    )
  })
})

describe("the journal of these stories", () => {
  it("keeps every promise", async () => {
    expect((await judge(here)).seen.jobSets).toBeGreaterThan(4)
  })
})
