/** Jobs and release targets: read from projections, changed by asking the actor. The rows stand for what batches wrote. */
import { randomUUID } from "node:crypto"
import { Bus } from "@sluice/actor/ports"
import { subjects } from "@sluice/protocol/subjects"
import { Context, Effect } from "effect"
import { describe, expect, it } from "vitest"
import { namespace } from "./kit.ts"
import { served } from "./served.ts"

const gateway = served()

interface Scene {
  readonly key: string
  readonly agent: string
  readonly job: string
  readonly release: string
  readonly version: string
  readonly deployment: string
  readonly environment: string
}

/** One target with a queued job of a pull agent, as planner, target actor and dispatcher would have written it. */
const scene = async (): Promise<Scene> => {
  const { call, W, query, workspaceId } = gateway()
  const suffix = randomUUID().slice(0, 8)
  const name = (noun: string) => `${noun}-${suffix}`
  const agent = randomUUID()
  await call("PUT", `${W}/job-agents/${agent}`, { body: { name: name("agent"), type: "http-pull", config: {} } })
  const post = async (noun: string) =>
    (await call("POST", `${W}/${noun}`, { body: { name: name(noun), slug: "s" } })).body.id
  const [deployment, environment] = [await post("deployments"), await post("environments")]
  const resource = (
    await call("PUT", `${W}/resources/identifier/${name("r")}`, { body: { name: "r", kind: "k", version: "v" } })
  ).body.id
  const metadata = { "git/commit": "abc", "git/branch": "main" }
  const version = (
    await call("POST", `${W}/deployments/${deployment}/versions`, { body: { tag: "1", status: "ready", metadata } })
  ).body.id
  const key = `${resource}-${environment}-${deployment}`
  const [release, set, job] = [randomUUID(), randomUUID(), randomUUID()]
  const ids = [workspaceId, key, deployment, environment, resource]
  await query(
    `INSERT INTO release_target (workspace_id, key, deployment_id, environment_id, resource_id, present, joined_at)
     VALUES ($1, $2, $3, $4, $5, true, now())`,
    ids,
  )
  await query(
    `INSERT INTO release (workspace_id, target_key, deployment_id, environment_id, resource_id, id, version_id, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, now())`,
    [...ids, release, version],
  )
  await query(
    `INSERT INTO target_status (workspace_id, key, deployment_id, environment_id, resource_id, phase,
       desired_release_id, blocked, updated_at)
     VALUES ($1, $2, $3, $4, $5, 'deploying', $6, '{"rule":"retry"}', now())`,
    [...ids, release],
  )
  await query(
    `INSERT INTO job (id, job_set_id, workspace_id, target_key, release_id, job_agent_id, status, attempt, try,
       dispatch_context, metadata, created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, $6, 'queued', 1, 1, $7, $8, now(), now())`,
    [job, set, workspaceId, key, release, agent, JSON.stringify({ version: { metadata } }), JSON.stringify(metadata)],
  )
  await query(
    `INSERT INTO verification (id, workspace_id, target_key, job_set_id, job_ids, release_id, status, metrics, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, 'running', $7, now())`,
    [
      randomUUID(),
      workspaceId,
      key,
      set,
      JSON.stringify([job]),
      release,
      JSON.stringify([
        { name: "m", intervalSeconds: 1, count: 1, provider: { type: "sleep" }, successCondition: "true" },
      ]),
    ],
  )
  return { key, agent, job, release, version, deployment, environment }
}

describe("a queued job", () => {
  it("is seen by its agent, claimed by exactly one of ten callers, and reported", async () => {
    const { call, W } = gateway()
    const { agent, job } = await scene()
    const queued = await call("GET", `${W}/job-agents/${agent}/jobs?status=queued`)
    expect(queued.body).toMatchObject({ total: 1, items: [{ id: job, status: "queued", jobAgentId: agent }] })
    expect("dispatchContext" in queued.body.items[0]).toBe(false)
    const claim = `${W}/job-agents/${agent}/jobs/${job}/claim`
    const answers = await Promise.all(Array.from({ length: 10 }, () => call("POST", claim)))
    expect(answers.map(each => each.status).sort()).toEqual([200, ...Array(9).fill(409)])
    const won = answers.find(each => each.status === 200)
    expect(won?.body).toMatchObject({ id: job, status: "inProgress", dispatchContext: { version: {} } })
    expect((await call("POST", `${W}/job-agents/${randomUUID()}/jobs/${job}/claim`)).status).toBe(404)
    const done = await call("PUT", `${W}/jobs/${job}/status`, { body: { status: "successful" } })
    expect(done).toMatchObject({ status: 202, body: { id: job } })
    const read = (await call("GET", `${W}/jobs/${job}`)).body
    expect(read).toMatchObject({ status: "successful", metadata: { "git/commit": "abc", "git/branch": "main" } })
    const late = await call("POST", `${W}/jobs/${job}/report`, { body: { attempt: 1, status: "inProgress" } })
    expect(late).toMatchObject({ status: 409, body: { code: "REFUSED", message: "the job has ended" } })
  })

  it("takes a status only as an object with a status of the contract", async () => {
    const { call, W } = gateway()
    const { job } = await scene()
    expect((await call("PUT", `${W}/jobs/${job}/status`, { raw: '"successful"' })).status).toBe(400)
    expect((await call("PUT", `${W}/jobs/${job}/status`, { body: { status: "done" } })).status).toBe(400)
    expect((await call("PUT", `${W}/jobs/${randomUUID()}/status`, { body: { status: "failure" } })).status).toBe(404)
  })

  it("hears its own NATS agent, and no other", async () => {
    const { context, query, workspaceId } = gateway()
    const { agent, job } = await scene()
    const bus = Context.get(context, Bus)
    const report = (from: string, externalId: string) => ({
      subject: subjects(namespace).agentReport(workspaceId, from),
      data: new TextEncoder().encode(
        JSON.stringify({
          jobId: job,
          attempt: 1,
          status: "inProgress",
          externalId,
          occurredAt: "2026-01-01T00:00:00Z",
        }),
      ),
    })
    const stored = await Effect.runPromise(bus.publish([report(randomUUID(), "forged"), report(agent, "real")]))
    expect(stored).toEqual([true, true])
    await expect
      .poll(async () => (await query("SELECT status, external_id FROM job WHERE id = $1", [job]))[0], { timeout: 5000 })
      .toEqual({ status: "inProgress", external_id: "real" })
    const heard = await query<{ by: string }>(
      "SELECT message->>'reportedBy' AS by FROM journal WHERE kind = 'job' AND message->>'jobId' = $1",
      [job],
    )
    expect(heard.map(row => row.by)).toEqual([agent])
  })
})

describe("jobs", () => {
  it("are listed with their release, and with their own fields beside it", async () => {
    const { call, W } = gateway()
    const { job, release, version } = await scene()
    const [first] = (await call("GET", `${W}/jobs`)).body.items
    expect(first).toMatchObject({ id: job, job: { id: job }, release: { id: release, version: { id: version } } })
    const one = await call("GET", `${W}/jobs/${job}/with-release`)
    expect(one.body).toMatchObject({ job: { id: job }, release: { encryptedVariables: [], version: { tag: "1" } } })
  })
})

describe("a release target", () => {
  it("shows desired release, latest job, verifications and, under sluice, what holds it", async () => {
    const { call, W } = gateway()
    const { key, release, job, deployment, environment } = await scene()
    const state = (await call("GET", `${W}/release-targets/${key}/state?bypassCache=true`)).body
    expect(state).toMatchObject({
      desiredRelease: { id: release },
      latestJob: {
        job: { id: job },
        verifications: [{ jobId: job, status: "running", metrics: [{ measurements: [] }] }],
      },
      sluice: { phase: "deploying", blocked: { rule: "retry" }, quarantined: [] },
    })
    expect("currentRelease" in state).toBe(false)
    const desired = (await call("GET", `${W}/release-targets/${key}/desired-release`)).body
    expect(desired.desiredRelease).toEqual((await call("GET", `${W}/releases/${release}`)).body)
    expect((await call("GET", `${W}/release-targets/${key}/jobs`)).body.items[0].id).toBe(job)
    const body = { deploymentId: deployment, environmentId: environment }
    const pair = await call("POST", `${W}/release-targets/state`, { body })
    expect(pair.body.items).toEqual([{ releaseTarget: desired.desiredRelease.releaseTarget, state }])
  })

  it("that is unknown has an empty state and no desired release, a malformed key is refused", async () => {
    const { call, W } = gateway()
    const key = [randomUUID(), randomUUID(), randomUUID()].join("-")
    expect(await call("GET", `${W}/release-targets/${key}/state`)).toMatchObject({ status: 200, body: {} })
    expect((await call("GET", `${W}/release-targets/${key}/desired-release`)).status).toBe(404)
    expect((await call("GET", `${W}/release-targets/${key.slice(1)}/state`)).status).toBe(400)
    expect((await call("POST", `${W}/release-targets/${key}/redeploy`, { body: { reason: "again" } })).status).toBe(404)
  })

  it("answers why it was where it was at a moment, and pages through its history", async () => {
    const { call, W, query, workspaceId } = gateway()
    const { key, version } = await scene()
    const answers = [
      [1, "2026-01-01T14:00:00Z", "waiting", { rule: "anyApproval" }],
      [2, "2026-01-01T15:00:00Z", "deploying", { version }],
      [3, "2026-01-01T16:00:00Z", "idle", {}],
    ] as const
    for (const [sequence, at, phase, answer] of answers) {
      await query(
        "INSERT INTO target_why (target_key, at, sequence, workspace_id, phase, answer) VALUES ($1, $2, $3, $4, $5, $6)",
        [key, at, sequence, workspaceId, phase, JSON.stringify(answer)],
      )
    }
    const why = async (search: string) => (await call("GET", `${W}/release-targets/${key}/why${search}`)).body
    expect((await why("")).phase).toBe("idle")
    expect(await why("?at=2026-01-01T14:05:00Z")).toMatchObject({ phase: "waiting", answer: { rule: "anyApproval" } })
    expect((await why(`?versionId=${version}`)).sequence).toBe(2)
    expect((await call("GET", `${W}/release-targets/${key}/why?at=2025-01-01T00:00:00Z`)).status).toBe(404)
    const page = async (search: string) => (await call("GET", `${W}/release-targets/${key}/history${search}`)).body
    const first = await page("?limit=2")
    expect(first.items.map((each: { sequence: number }) => each.sequence)).toEqual([3, 2])
    const last = await page(`?limit=2&cursor=${first.nextCursor}`)
    expect([last.items.map((each: { sequence: number }) => each.sequence), "nextCursor" in last]).toEqual([[1], false])
  })

  it("is told to try a quarantined version again only with a reason, and the caller is told when nobody decides", async () => {
    const { call, W, query } = gateway()
    const { key } = await scene()
    const act = (body: object) => call("POST", `${W}/release-targets/${key}/release-quarantine`, { body })
    expect((await act({ reason: " " })).status).toBe(400)
    const accepted = await act({ reason: "fixed upstream" })
    expect(accepted.status).toBe(202)
    const [sent] = await query<{ envelope: unknown }>("SELECT envelope FROM outbox WHERE envelope->>'id' = $1", [
      accepted.body.id,
    ])
    expect(sent?.envelope).toMatchObject({ kind: "target", key, type: "ReleaseQuarantine", receipt: true })
  })
})
