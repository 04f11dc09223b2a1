/** Versions over HTTP as the command line publishes them, their approvals, and policies as Terraform writes them. */
import { randomUUID } from "node:crypto"
import { describe, expect, it } from "vitest"
import { served } from "./served.ts"

const gateway = served()

const deployment = async (name: string): Promise<string> => {
  const { call, W } = gateway()
  return (await call("POST", `${W}/deployments`, { body: { name, slug: name } })).body.id
}
const publish = (deploymentId: string, body: object) => {
  const { call, W } = gateway()
  return call("POST", `${W}/deployments/${deploymentId}/versions`, { body })
}

describe("ctrlc api upsert version", () => {
  const metadata = {
    "git/commit": "0f1e2d3c",
    "git/branch": "main",
    "ctrlplane/links": '{"build":"https://ci.example/1"}',
  }

  it("resolves the slug, creates the version with 200, and its git metadata reads back", async () => {
    const { call } = gateway()
    const id = await deployment("shop")
    const headers = { "user-agent": "ctrlc/1.22.0" }
    const slug = await call("GET", "/v1/workspaces/slug/default", { headers })
    expect(slug.body.id).toMatch(/^[0-9a-f-]{36}$/)
    const body = {
      tag: "1.4.0",
      name: "",
      status: "ready",
      metadata,
      config: { image: { tag: "1.4.0", replicas: 3 } },
      createdAt: "2020-01-01T00:00:00Z",
    }
    const created = await call("POST", `/v1/workspaces/${slug.body.id}/deployments/${id}/versions`, { body, headers })
    expect(created.status).toBe(200)
    expect(created.body).toMatchObject({ tag: "1.4.0", name: "1.4.0", deploymentId: id, metadata, config: body.config })
    expect("dependencies" in created.body).toBe(false)
    expect(Date.parse(created.body.createdAt)).toBeGreaterThan(Date.parse("2021-01-01"))
    const listed = await call("GET", `/v1/workspaces/default/deployments/${id}/versions`)
    expect(listed.body).toMatchObject({ total: 1, items: [{ id: created.body.id, metadata, dependencies: {} }] })
  })

  it("finds the tag taken, and is told whether the content is the same", async () => {
    const id = await deployment("twice")
    const first = await publish(id, { tag: "1", status: "ready", config: { a: 1, b: 2 } })
    const same = await publish(id, { status: "ready", config: { b: 2, a: 1 }, tag: "1", name: "" })
    expect(same).toMatchObject({ status: 409, body: { details: { versionId: first.body.id, identical: true } } })
    const other = await publish(id, { tag: "1", status: "ready", config: { a: 2 } })
    expect(other).toMatchObject({ status: 409, body: { code: "DUPLICATE_TAG", details: { identical: false } } })
  })

  it("publishes exactly once however many steps run it at the same moment", async () => {
    const id = await deployment("race")
    const answers = await Promise.all(Array.from({ length: 8 }, () => publish(id, { tag: "1", status: "ready" })))
    expect(answers.map(each => each.status).sort()).toEqual([200, ...Array(7).fill(409)])
  })
})

describe("a version", () => {
  it("is refused for an unknown deployment, a paused start, and dependencies that cannot hold", async () => {
    const id = await deployment("refusing")
    const withDependency = (of: string, versionSelector: string) =>
      publish(id, { tag: "d", status: "ready", dependencies: { [of]: { versionSelector } } })
    expect((await publish(randomUUID(), { tag: "1", status: "ready" })).status).toBe(404)
    expect((await publish(id, { tag: "1", status: "paused" })).status).toBe(400)
    expect((await withDependency("nonsense", "true")).status).toBe(400)
    expect((await withDependency(id, "true")).status).toBe(400)
    expect((await withDependency(await deployment("upstream"), "((")).body.code).toBe("INVALID_CEL")
    expect((await withDependency(randomUUID(), "true")).status).toBe(404)
  })

  it("is listed newest first, and filtered with the whole of CEL", async () => {
    const { call, W } = gateway()
    const id = await deployment("filtering")
    for (const tag of ["1.0.0", "1.1.0", "2.0.0"]) await publish(id, { tag, status: "ready" })
    const tags = async (query: string) =>
      (await call("GET", `${W}/deployments/${id}/versions?${query}`)).body.items.map(
        (each: { tag: string }) => each.tag,
      )
    expect(await tags("")).toEqual(["2.0.0", "1.1.0", "1.0.0"])
    expect(await tags(`order=asc&cel=${encodeURIComponent("version.tag.startsWith('1.')")}`)).toEqual([
      "1.0.0",
      "1.1.0",
    ])
    expect((await call("GET", `${W}/deployments/${id}/versions?cel=((`)).status).toBe(400)
  })

  it("is changed under both spellings of its path, which marks the workspace's stop row and tells the planner", async () => {
    const { call, W, query, workspaceId } = gateway()
    const id = await deployment("patched")
    const version = (await publish(id, { tag: "1", status: "ready" })).body.id
    const stop = async () =>
      (await query<{ version: number }>("SELECT version FROM guard WHERE name = $1", [`stop:${workspaceId}`]))[0]
        ?.version ?? 0
    const before = await stop()
    const paused = await call("PATCH", `${W}/deploymentversions/${version}`, { body: { status: "paused" } })
    expect(paused).toMatchObject({ status: 202, body: { status: "paused", tag: "1" } })
    expect(await stop()).toBe(before + 1)
    const renamed = await call("PATCH", `${W}/deployment-versions/${version}`, { body: { name: "one" } })
    expect(renamed).toMatchObject({ status: 202, body: { status: "paused", name: "one" } })
    const [sent] = await query<{ body: { versions: unknown } }>(
      "SELECT envelope->'body' AS body FROM outbox WHERE kind = 'planner' ORDER BY (envelope->>'sentAt')::bigint DESC, number DESC LIMIT 1",
    )
    expect(sent?.body.versions).toEqual([{ versionId: version, deploymentId: id }])
    expect((await call("PATCH", `${W}/deployment-versions/${randomUUID()}`, { body: {} })).status).toBe(404)
  })
})

describe("an approval", () => {
  it("is recorded as the key's user, may be changed to a rejection, and wakes exactly the targets that wait for it", async () => {
    const { call, W, query, workspaceId } = gateway()
    const id = await deployment("approved")
    const environment = (await call("POST", `${W}/environments`, { body: { name: "production" } })).body.id
    const version = (await publish(id, { tag: "1", status: "ready" })).body.id
    const path = `${W}/deployment-versions/${version}/user-approval-records`
    await query("INSERT INTO wait (target_key, subject, workspace_id) VALUES ('waits', $1, $3), ('other', $2, $3)", [
      `approval:${id}:${environment}`,
      `approval:${id}:${randomUUID()}`,
      workspaceId,
    ])
    for (const status of ["approved", "rejected"]) {
      const answer = await call("PUT", path, { body: { status, environmentIds: [environment], reason: "seen" } })
      expect(answer).toMatchObject({ status: 202, body: { id: version } })
    }
    const { items } = (await call("GET", path)).body
    expect(items).toHaveLength(1)
    expect(items[0]).toMatchObject({ status: "rejected", reason: "seen", environmentId: environment })
    const woken = await query<{ key: string; type: string }>(
      "SELECT envelope->>'key' AS key, envelope->>'type' AS type FROM outbox WHERE kind = 'target'",
    )
    expect(woken).toEqual([
      { key: "waits", type: "Reconcile" },
      { key: "waits", type: "Reconcile" },
    ])
    const unknown = await call("PUT", path, { body: { status: "approved", environmentIds: [randomUUID()] } })
    expect(unknown.status).toBe(404)
  })
})

describe("a policy", () => {
  const rule = {
    id: "rule-from-terraform",
    createdAt: "2026-01-02T03:04:05Z",
    policyId: "wrong",
    verification: {
      metrics: [
        {
          name: "errors",
          intervalSeconds: 1,
          count: 2,
          provider: { type: "http", url: "http://{{ .resource.name }}" },
          successCondition: "result.body.errorRate < 0.1",
          failureCondition: null,
        },
      ],
    },
    retry: { maxRetries: 2 },
  }
  const full = { name: "p", selector: "true", enabled: true, priority: 1, metadata: {}, rules: [rule] }
  const put = (body: object, id = randomUUID()) => {
    const { call, W } = gateway()
    return call("PUT", `${W}/policies/${id}`, { body })
  }

  it("keeps ids, times and bodies of its rules as they were sent, and materialises no default", async () => {
    const { call, W } = gateway()
    const id = randomUUID()
    const saved = await put(full, id)
    expect(saved.status).toBe(202)
    const { failureCondition: _, ...metric } = rule.verification.metrics[0] as Record<string, unknown>
    expect(saved.body.rules).toEqual([
      { id: rule.id, createdAt: rule.createdAt, policyId: id, retry: rule.retry, verification: { metrics: [metric] } },
    ])
    const again = await put({ ...full, name: "renamed" }, id)
    expect(again.body.createdAt).toBe(saved.body.createdAt)
    expect((await call("GET", `${W}/policies/${id}`)).body).toEqual(again.body)
    expect("description" in again.body).toBe(false)
    expect(await call("DELETE", `${W}/policies/${id}`)).toMatchObject({ status: 202, body: { id, rules: [] } })
    expect((await call("GET", `${W}/policies/${id}`)).status).toBe(404)
  })

  it("created by POST gives its rules fresh ids and has defaults of its own", async () => {
    const { call, W } = gateway()
    const created = await call("POST", `${W}/policies`, { body: { name: "posted", rules: [rule, {}] } })
    expect(created).toMatchObject({ status: 202, body: { selector: "true", enabled: true, priority: 0, metadata: {} } })
    expect(created.body.rules).toHaveLength(2)
    expect(created.body.rules[0].id).not.toBe(rule.id)
  })

  it("whose expressions or rollout type cannot work is refused", async () => {
    const refusedBy = async (change: object) => (await put({ ...full, ...change })).body.code
    const rules = (body: object) => ({ rules: [body] })
    expect(await refusedBy({ selector: "" })).toBe("INVALID_CEL")
    expect(await refusedBy(rules({ versionSelector: { selector: "tag == '1'" } }))).toBe("INVALID_CEL")
    expect(await refusedBy(rules({ environmentProgression: { dependsOnEnvironmentSelector: "((" } }))).toBe(
      "INVALID_CEL",
    )
    expect(await refusedBy(rules({ gradualRollout: { rolloutType: "exponential", timeScaleInterval: 1 } }))).toBe(
      "BAD_REQUEST",
    )
    const metric = { ...rule.verification.metrics[0], successCondition: "result.(" }
    expect(await refusedBy(rules({ verification: { metrics: [metric] } }))).toBe("INVALID_CEL")
    const template = { ...metric, successCondition: "result.body.{{ .field }} > 1" }
    expect((await put({ ...full, ...rules({ verification: { metrics: [template] } }) })).status).toBe(202)
  })
})
