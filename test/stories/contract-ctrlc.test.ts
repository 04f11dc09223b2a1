/**
 * The `ctrlc` command line, request by request as its sources make them: headers, bodies, the statuses it insists on.
 * (`api upsert version` has its stories beside those of publishing.)
 */
import { randomUUID } from "node:crypto"
import { type Installation, openInstallation, workspaceSlug } from "@sluice/testkit/installation"
import type { Answer } from "@sluice/testkit/installation-api"
import { given } from "@sluice/testkit/story"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

let here: Installation
beforeAll(async () => {
  here = await openInstallation()
})
afterAll(() => here?.close())

const ctrlc = { "User-Agent": "ctrlc/v1.22.0" }
const send = (method: string, path: string, body?: unknown): Promise<Answer> =>
  here.api.as({ workspace: here.workspaceId }).call(method, path, body, ctrlc)
const identified = (identifier: string) => `W/resources/identifier/${encodeURIComponent(identifier)}`

describe("ctrlc apply", () => {
  it("writes a resource on its own, then its variables, which it wipes when the document has none", async () => {
    expect((await send("GET", `/v1/workspaces/slug/${workspaceSlug}`)).body.id).toBe(here.workspaceId)
    const identifier = `aws:eu/cluster ${randomUUID()}`
    const document = { name: "c", kind: "Cluster", version: "v1", config: { region: "eu" }, metadata: { team: "a" } }
    expect((await send("PUT", identified(identifier), document)).status).toBe(202)
    expect((await send("PATCH", `${identified(identifier)}/variables`, { replicas: 3 })).status).toBe(202)
    expect((await send("GET", identified(identifier))).body).toMatchObject({ ...document, identifier })
    expect((await send("GET", `${identified(identifier)}/variables`)).body).toMatchObject({
      items: [{ key: "replicas", value: 3 }],
      total: 1,
    })
    expect((await send("PATCH", `${identified(identifier)}/variables`, {})).status).toBe(202)
    expect((await send("GET", `${identified(identifier)}/variables`)).body.total).toBe(0)
  })

  it("groups resources by provider: looks it up, creates it, sets them all in one call", async () => {
    const name = `ctrlc-${randomUUID()}`
    expect((await send("GET", `W/resource-providers/name/${name}`)).status).toBe(404)
    const provider = await send("PUT", "W/resource-providers", { id: "", name })
    expect(provider).toMatchObject({ status: 202, body: { id: expect.any(String) } })
    const resources = ["a", "b"].map(each => ({
      identifier: `${name}/${each}`,
      name: each,
      kind: "K",
      version: "v",
      config: {},
      metadata: {},
      createdAt: "0001-01-01T00:00:00Z",
    }))
    const set = (list: ReadonlyArray<unknown>) =>
      send("PUT", `W/resource-providers/${provider.body.id}/set`, { resources: list })
    expect(await set(resources)).toMatchObject({ status: 202, body: { ok: true } })
    expect((await send("DELETE", `W/resource-providers/name/${name}`)).status).toBe(400)
    expect((await set([])).status).toBe(202)
    expect(await send("DELETE", `W/resource-providers/name/${name}`)).toMatchObject({ status: 202, body: { name } })
  })
})

describe("ctrlc sync pipe", () => {
  it("sends null for what it was not given, and gets a JSON object to print", async () => {
    const provider = await send("PUT", "W/resource-providers", { id: "", name: randomUUID() })
    const identifier = randomUUID()
    const piped = { identifier, name: "n", kind: "K", version: "v", config: null, metadata: null }
    const set = await send("PUT", `W/resource-providers/${provider.body.id}/set`, {
      resources: [{ ...piped, createdAt: "0001-01-01T00:00:00Z" }],
    })
    expect(set).toMatchObject({ status: 202, body: { ok: true, method: "direct" } })
    expect((await send("GET", identified(identifier))).body).toMatchObject({ config: {}, metadata: {} })
  })
})

describe("ctrlc get, api get and delete", () => {
  const make = async (count: number): Promise<string> => {
    const kind = `Kind${randomUUID().slice(0, 8)}`
    const resources = Array.from({ length: count }, (_, index) => ({
      identifier: `${kind}/${index}`,
      name: `${kind} ${index}`,
      kind,
      version: "v1",
      config: {},
      metadata: { half: index % 2 === 0 ? "even" : "odd" },
    }))
    const provider = await send("PUT", "W/resource-providers", { id: "", name: kind })
    await send("PUT", `W/resource-providers/${provider.body.id}/set`, { resources })
    return kind
  }

  it("search page by page until the total is reached", async () => {
    const kind = await make(250)
    const seen: Array<string> = []
    let total = Number.POSITIVE_INFINITY
    for (let offset = 0; offset < total; offset += 200) {
      const page = await send("POST", "W/resources/search", { kinds: [kind], limit: 200, offset })
      expect(page).toMatchObject({ status: 200, body: { limit: 200, offset } })
      seen.push(...page.body.items.map((item: Answer["body"]) => item.identifier))
      total = page.body.total
    }
    expect([total, new Set(seen).size]).toEqual([250, 250])
    const odd = await send("POST", "W/resources/search", { kinds: [kind], metadata: { half: "odd" }, limit: 1 })
    expect(odd.body.total).toBe(125)
  })

  it("understand a query that was encoded once, and one that the command encoded twice", async () => {
    const kind = await make(3)
    const query = `resource.kind == "${kind}" && resource.name.endsWith("1")`
    const twice = new URLSearchParams({ q: query }).toString().slice("q=".length)
    for (const cel of [query, twice]) {
      const found = await send("GET", `W/resources?limit=50&offset=0&cel=${encodeURIComponent(cel)}`)
      expect(found).toMatchObject({ status: 200, body: { total: 1, items: [{ identifier: `${kind}/1` }] } })
    }
    expect((await send("GET", `W/resources?cel=${encodeURIComponent("this is not cel @#$%")}`)).status).toBe(400)
  })

  it("delete a resource after looking at it", async () => {
    const kind = await make(1)
    expect((await send("GET", identified(`${kind}/0`))).status).toBe(200)
    const gone = await send("DELETE", identified(`${kind}/0`))
    expect(gone).toMatchObject({ status: 200, body: { id: expect.any(String), message: expect.any(String) } })
    expect((await send("GET", identified(`${kind}/0`))).status).toBe(404)
  })

  it("tell which release targets a resource would get, by both selectors, before it is there", async () => {
    const scene = await given(here).targets("eu").scene()
    const preview = (story: string) =>
      send("POST", "W/release-targets/resource-preview?limit=50&offset=0", {
        identifier: "new",
        name: "new",
        kind: "Site",
        version: "v1",
        config: {},
        metadata: { story, environment: "production" },
      })
    const found = await preview(scene.id)
    expect(found).toMatchObject({ status: 200, body: { total: 1, limit: 50, offset: 0 } })
    expect(found.body.items[0]).toMatchObject({
      system: { id: scene.systemId },
      deployment: { id: scene.deploymentId },
      environment: { id: scene.environmentId("production") },
    })
    expect((await preview("another")).body.total).toBe(0)
  })
})

describe("ctrlc ui", () => {
  it("finds what it polls: deployments, resources, environments, versions, and a resource's deployments and target", async () => {
    const scene = await given(here).targets("eu").running("1.0.0").scene()
    const { identifier } = scene.target("eu")
    const deployments = (await send("GET", "W/deployments?limit=100")).body.items
    expect(deployments.find((each: Answer["body"]) => each.deployment.id === scene.deploymentId)).toMatchObject({
      deployment: { name: scene.deploymentName, slug: scene.deploymentName },
      systems: [{ id: scene.systemId, name: expect.any(String) }],
    })
    const cel = encodeURIComponent("resource.name.contains('e')")
    expect((await send("GET", `W/resources?limit=100&cel=${cel}`)).body.total).toBeGreaterThan(0)
    expect((await send("GET", "W/environments?limit=100")).body.items[0]).toMatchObject({
      id: expect.any(String),
      createdAt: expect.any(String),
    })
    expect((await send("GET", `W/deployments/${scene.deploymentId}/versions?limit=20`)).body.items).toMatchObject([
      { tag: "1.0.0", status: "ready", name: "1.0.0", dependencies: {} },
    ])
    expect((await send("GET", `${identified(identifier)}/deployments?limit=100`)).body).toMatchObject({
      items: [{ id: scene.deploymentId }],
      total: 1,
    })
    const target = `release-targets/deployment/${scene.deploymentId}`
    for (const path of [
      `W/resources/${encodeURIComponent(identifier)}/${target}`,
      `${identified(identifier)}/${target}`,
    ]) {
      expect((await send("GET", path)).body).toMatchObject({
        deploymentId: scene.deploymentId,
        resourceId: expect.any(String),
      })
    }
  })

  it("works with the slug where the id belongs, as some sync commands send it", async () => {
    const bySlug = await here.api.as({ workspace: workspaceSlug }).call("GET", "W/systems", undefined, ctrlc)
    expect(bySlug.status).toBe(200)
  })
})
