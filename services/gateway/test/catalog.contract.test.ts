/** Systems, environments, deployments, resources and providers, as command line and Terraform use them. */
import { randomUUID } from "node:crypto"
import { describe, expect, it } from "vitest"
import { otherKey } from "./kit.ts"
import { served } from "./served.ts"

const gateway = served()
const go = { "user-agent": "Go-http-client/2.0" }

/** Bodies of the planner's messages of the workspace, in the order they were sent. */
const plannerHeard = async (): Promise<ReadonlyArray<Record<string, unknown>>> => {
  const { query, workspaceId } = gateway()
  const rows = await query<{ body: Record<string, unknown> }>(
    "SELECT envelope->'body' AS body FROM outbox WHERE kind = 'planner' AND envelope->>'workspaceId' = $1 ORDER BY number",
    [workspaceId],
  )
  return rows.map(row => row.body)
}

describe("an environment", () => {
  it("is created, read by id and by name, replaced by PUT and deleted", async () => {
    const { call, W } = gateway()
    const body = { name: "staging / eu", resourceSelector: "resource.kind == 'k8s'", metadata: { a: "1", b: "2" } }
    const created = await call("POST", `${W}/environments`, { body })
    expect(created).toMatchObject({ status: 202, body: { message: expect.any(String) } })
    const { id } = created.body
    const byName = await call("GET", `${W}/environments/name/${encodeURIComponent(body.name)}`)
    expect(byName.body).toMatchObject({ id, ...body, systems: [] })
    expect("description" in byName.body).toBe(false)
    expect((await call("PUT", `${W}/environments/${id}`, { body: { name: "staging" } })).status).toBe(202)
    const replaced = (await call("GET", `${W}/environments/${id}`)).body
    expect(replaced).toMatchObject({ name: "staging", metadata: {} })
    expect("resourceSelector" in replaced).toBe(false)
    expect((await call("DELETE", `${W}/environments/${id}`)).status).toBe(202)
    expect((await call("DELETE", `${W}/environments/${id}`)).status).toBe(404)
  })

  it("with a selector that cannot work is refused by name and place", async () => {
    const { call, W } = gateway()
    for (const resourceSelector of ["((( not valid", "", "resourse.kind == 'x'", "resource.name.matches('(')"]) {
      const { status, body } = await call("POST", `${W}/environments`, { body: { name: "bad", resourceSelector } })
      expect([status, body.code, body.details.field]).toEqual([400, "INVALID_CEL", "resourceSelector"])
    }
  })

  it("has its name to itself", async () => {
    const { call, W } = gateway()
    await call("POST", `${W}/environments`, { body: { name: "unique" } })
    const again = await call("POST", `${W}/environments`, { body: { name: "unique" } })
    expect(again).toMatchObject({ status: 409, body: { code: "DUPLICATE_NAME" } })
  })

  it("of another workspace cannot be overwritten by its id", async () => {
    const { call, W } = gateway()
    const id = randomUUID()
    await call("PUT", `${W}/environments/${id}`, { body: { name: "mine" } })
    const stolen = await call("PUT", `/v1/workspaces/elsewhere/environments/${id}`, {
      body: { name: "theirs" },
      key: otherKey,
    })
    expect(stolen.status).toBe(409)
    expect((await call("GET", `${W}/environments/${id}`)).body.name).toBe("mine")
  })
})

describe("a deployment", () => {
  it("reads back its slug as its name and an unset selector as the client needs it", async () => {
    const { call, W } = gateway()
    const { body } = await call("POST", `${W}/deployments`, { body: { name: "api", slug: "ignored" } })
    const read = (headers?: Record<string, string>) =>
      call("GET", `${W}/deployments/${body.id}`, headers === undefined ? {} : { headers })
    expect((await read()).body.deployment).toMatchObject({
      slug: "api",
      resourceSelector: "false",
      jobAgentSelector: "",
      jobAgentConfig: {},
    })
    expect("resourceSelector" in (await read(go)).body.deployment).toBe(false)
  })

  it("moves its agent config only together with the agent selector", async () => {
    const { call, W } = gateway()
    const id = randomUUID()
    const put = (body: object) =>
      call("PUT", `${W}/deployments/${id}`, { body: { name: "moving", slug: "m", ...body } })
    const agent = async () => (await call("GET", `${W}/deployments/${id}`)).body.deployment
    const jobAgentConfig = { n: 1.5, yes: true, nested: { list: [1, null] } }
    await put({ jobAgentSelector: "jobAgent.type == 'a'", jobAgentConfig })
    await put({ jobAgentConfig: { lost: true } })
    expect(await agent()).toMatchObject({ jobAgentSelector: "jobAgent.type == 'a'", jobAgentConfig })
    await put({ jobAgentSelector: "jobAgent.type == 'b'" })
    expect(await agent()).toMatchObject({ jobAgentSelector: "jobAgent.type == 'b'", jobAgentConfig: {} })
  })

  it("is found by a filter over its fields, in which a missing key is no match", async () => {
    const { call, W } = gateway()
    await call("POST", `${W}/deployments`, { body: { name: "filtered", slug: "f", metadata: { team: "core" } } })
    const list = (cel: string) => call("GET", `${W}/deployments?cel=${encodeURIComponent(cel)}`)
    const found = await list("deployment.metadata.team == 'core'")
    expect(found.body.items.map((each: { deployment: { name: string } }) => each.deployment.name)).toEqual(["filtered"])
    expect(found.body.total).toBe(1)
    // The command line encodes twice.
    expect((await list(encodeURIComponent("deployment.name == 'filtered'"))).body.total).toBe(1)
    expect((await list("deployment.name")).status).toBe(400)
  })
})

describe("a system", () => {
  it("links deployments and environments once, shows them, and tells the planner of each change", async () => {
    const { call, W } = gateway()
    const post = async (noun: string, name: string) =>
      (await call("POST", `${W}/${noun}`, { body: { name, slug: name } })).body.id
    const [system, deployment, environment] = [
      await post("systems", "shop"),
      await post("deployments", "linked-d"),
      await post("environments", "linked-e"),
    ]
    const before = (await plannerHeard()).length
    const link = `${W}/systems/${system}/deployments/${deployment}`
    expect((await call("GET", link)).status).toBe(404)
    expect(await call("PUT", link)).toMatchObject({ status: 202, body: { id: system } })
    expect((await call("PUT", link)).status).toBe(202)
    expect((await call("PUT", `${W}/systems/${system}/environments/${environment}`)).status).toBe(202)
    expect((await call("PUT", `${W}/systems/${system}/environments/${randomUUID()}`)).status).toBe(404)
    expect((await call("GET", link)).body).toEqual({ systemId: system, deploymentId: deployment })
    const shown = (await call("GET", `${W}/systems/${system}`)).body
    expect([shown.deployments[0].id, shown.environments[0].id]).toEqual([deployment, environment])
    expect((await call("DELETE", link)).status).toBe(202)
    expect((await call("DELETE", link)).status).toBe(404)
    expect((await plannerHeard()).slice(before).map(body => [body.deployments, body.environments])).toEqual([
      [[deployment], undefined],
      [undefined, [environment]],
      [[deployment], undefined],
    ])
    expect((await call("DELETE", `${W}/systems/${system}`)).status).toBe(202)
    expect((await call("GET", `${W}/environments/${environment}`)).body.systems).toEqual([])
  })
})

describe("a resource", () => {
  it("is addressed by an identifier with slashes, colons and spaces", async () => {
    const { call, W } = gateway()
    const identifier = "aws:eks/eu west%2F1"
    const path = `${W}/resources/identifier/${encodeURIComponent(identifier)}`
    const body = { name: "eks", kind: "k8s", version: "v1", config: { a: null }, metadata: { region: "eu" } }
    const created = await call("PUT", path, { body })
    expect(created.status).toBe(202)
    expect((await call("GET", path)).body).toMatchObject({ id: created.body.id, identifier, ...body })
    const replaced = await call("PUT", path, { body: { name: "eks2", kind: "k8s", version: "v1" } })
    expect(replaced.body.id).toBe(created.body.id)
    expect((await call("GET", path)).body).toMatchObject({ name: "eks2", metadata: {}, config: {} })
    const found = await call("POST", `${W}/resources/search`, { body: { query: "EU WEST%" } })
    expect(found.body).toMatchObject({ total: 1, limit: 500, offset: 0 })
    expect((await call("DELETE", path)).status).toBe(200)
    expect((await call("GET", path)).status).toBe(404)
    await call("PUT", path, { body })
    expect((await call("DELETE", path, { headers: go })).status).toBe(202)
  })
})

describe("a resource provider", () => {
  const provider = async (name: string): Promise<string> => {
    const { call, W } = gateway()
    return (await call("PUT", `${W}/resource-providers`, { body: { id: "", name } })).body.id
  }
  const resource = (identifier: string, more: object = {}) => ({
    identifier,
    name: identifier,
    kind: "vm",
    version: "v1",
    config: null,
    metadata: null,
    createdAt: "0001-01-01T00:00:00Z",
    ...more,
  })
  const listed = async (name: string): Promise<ReadonlyArray<string>> => {
    const { call, W } = gateway()
    const { body } = await call("GET", `${W}/resource-providers/name/${name}/resources`)
    return body.items.map((each: { identifier: string }) => each.identifier)
  }

  it("is found by name whatever id is sent, and renamed by its id", async () => {
    const { call, W } = gateway()
    const id = await provider("scanner")
    expect(await provider("scanner")).toBe(id)
    const other = await call("PUT", `${W}/resource-providers`, { body: { id: randomUUID(), name: "scanner" } })
    expect(other.body.id).toBe(id)
    await call("PUT", `${W}/resource-providers`, { body: { id, name: "renamed", metadata: { a: "b" } } })
    expect((await call("GET", `${W}/resource-providers/name/renamed`)).body).toMatchObject({ id, metadata: { a: "b" } })
    expect((await call("GET", `${W}/resource-providers/name/scanner`)).status).toBe(404)
  })

  it("replaces its whole set, keeps its order, adopts what nobody owns and leaves what another owns", async () => {
    const { call, W } = gateway()
    const [one, two] = [await provider("one"), await provider("two")]
    const set = (id: string, resources: ReadonlyArray<object>) =>
      call("PUT", `${W}/resource-providers/${id}/set`, { body: { resources } })
    await call("PUT", `${W}/resources/identifier/loose`, { body: { name: "loose", kind: "vm", version: "v1" } })
    expect(await set(one, [resource("c"), resource("a"), resource("loose")])).toMatchObject({
      status: 202,
      body: { ok: true, method: "direct" },
    })
    expect(await listed("one")).toEqual(["c", "a", "loose"])
    await set(two, [resource("a"), resource("z")])
    expect([await listed("one"), await listed("two")]).toEqual([["c", "a", "loose"], ["z"]])
    const before = (await plannerHeard()).length
    await set(one, [resource("a"), resource("c"), resource("loose")])
    expect((await plannerHeard()).length).toBe(before)
    expect(await listed("one")).toEqual(["a", "c", "loose"])
    await set(one, [resource("a", { metadata: { new: "yes" } })])
    expect((await plannerHeard()).at(-1)?.resources).toHaveLength(3)
    expect(await listed("one")).toEqual(["a"])
    expect((await call("DELETE", `${W}/resource-providers/name/one`)).status).toBe(400)
    await set(one, [])
    expect((await call("DELETE", `${W}/resource-providers/name/one`)).status).toBe(202)
    expect((await set(randomUUID(), [])).status).toBe(404)
  })

  it("sets ten thousand resources in one call within seconds", async () => {
    const { call, W } = gateway()
    const id = await provider("large")
    const resources = Array.from({ length: 10_000 }, (_, i) => resource(`vm-${i}`, { metadata: { n: `${i}` } }))
    const started = performance.now()
    expect((await call("PUT", `${W}/resource-providers/${id}/set`, { body: { resources } })).status).toBe(202)
    expect(performance.now() - started).toBeLessThan(10_000)
    const { body } = await call("GET", `${W}/resource-providers/name/large/resources?limit=1&offset=9999`)
    expect([body.total, body.items[0].identifier]).toEqual([10_000, "vm-9999"])
    expect((await plannerHeard()).at(-1)?.resources).toHaveLength(10_000)
  })
})
