/**
 * The Terraform provider's own requests, resource by resource, in its order and under its user agent: create, poll, read,
 * update, delete. What it reads must be what it wrote, or every later plan shows a difference nobody made.
 */
import { randomUUID } from "node:crypto"
import { type Installation, openInstallation, workspaceSlug } from "@sluice/testkit/installation"
import type { Answer } from "@sluice/testkit/installation-api"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

let here: Installation
beforeAll(async () => {
  here = await openInstallation()
})
afterAll(() => here?.close())

/** Go's default, which the provider does not change; two answers depend on it. */
const terraform = { "User-Agent": "Go-http-client/1.1" }
const send = (method: string, path: string, body?: unknown): Promise<Answer> =>
  here.api.as({ workspace: here.workspaceId }).call(method, path, body, terraform)

/** Creates, and reads back as the poll after a create does. */
const created = async (path: string, body: object): Promise<Answer["body"]> => {
  const answer = await send("POST", path, body)
  expect(answer).toMatchObject({ status: 202, body: { id: expect.any(String) } })
  return reads(`${path}/${answer.body.id}`)
}
const reads = async (path: string): Promise<Answer["body"]> => {
  const answer = await send("GET", path)
  expect(answer.status, path).toBe(200)
  return answer.body
}
const updated = async (path: string, body: object): Promise<Answer["body"]> => {
  expect(await send("PUT", path, body)).toMatchObject({ status: 202, body: { id: path.split("/").at(-1) } })
  return reads(path)
}
const deleted = async (path: string): Promise<void> => {
  expect(await send("DELETE", path)).toMatchObject({ status: 202 })
  expect((await send("GET", path)).status).toBe(404)
}

describe("terraform's provider configuration", () => {
  it("resolves the slug to a UUID with a creation time Go can read", async () => {
    const { status, body } = await send("GET", `/v1/workspaces/slug/${workspaceSlug}`)
    expect([status, body.id]).toEqual([200, here.workspaceId])
    expect(body.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    expect((await send("GET", "/v1/workspaces/slug/nobody")).status).toBe(404)
  })
})

describe("ctrlplane_system", () => {
  it("keeps an unset description unset, an empty one empty, and metadata a map", async () => {
    const name = randomUUID()
    const system = await created("W/systems", { name, metadata: {} })
    expect(system).toMatchObject({ name, slug: name, metadata: {}, deployments: [], environments: [] })
    expect(system).not.toHaveProperty("description")
    const path = `W/systems/${system.id}`
    const described = await updated(path, { name, description: "", metadata: { team: "a" } })
    expect(described).toMatchObject({ description: "", metadata: { team: "a" } })
    expect(await updated(path, { name, metadata: {} })).not.toHaveProperty("description")
    await deleted(path)
    expect((await send("DELETE", path)).status).toBe(404)
  })
})

describe("ctrlplane_environment", () => {
  it("has no selector until it is given one, and keeps that verbatim", async () => {
    const name = randomUUID()
    const environment = await created("W/environments", { name, metadata: {} })
    expect(environment).toMatchObject({ name, metadata: {}, systems: [] })
    expect(environment).not.toHaveProperty("resourceSelector")
    expect(environment).not.toHaveProperty("description")
    const path = `W/environments/${environment.id}`
    const resourceSelector = "resource.kind == 'Cluster'\n  && resource.name.startsWith('eu')"
    expect(await updated(path, { name, resourceSelector, metadata: {} })).toMatchObject({ resourceSelector })
    expect(await reads(`W/environments/name/${name}`)).toMatchObject({ id: environment.id, resourceSelector })
    expect(await updated(path, { name, metadata: {} })).not.toHaveProperty("resourceSelector")
    await deleted(path)
    expect((await send("GET", `W/environments/name/${name}`)).status).toBe(404)
  })
})

describe("ctrlplane_deployment", () => {
  const jobAgentConfig = {
    installationId: 12345678,
    owner: "o",
    repo: "r",
    ref: "main",
    nested: { on: true, share: 1.5 },
  }

  it("reads nothing it did not write: no selectors, an empty config, its name for a slug", async () => {
    const name = `Shop ${randomUUID()}`
    const { deployment, systems, variables } = await created("W/deployments", { name, slug: "shop", metadata: {} })
    expect(deployment).toEqual({
      id: deployment.id,
      name,
      slug: name,
      jobAgentSelector: "",
      jobAgentConfig: {},
      metadata: {},
    })
    expect([systems, variables]).toEqual([[], []])
    expect((await reads(`W/deployments/name/${encodeURIComponent(name)}`)).deployment.id).toBe(deployment.id)
    await deleted(`W/deployments/${deployment.id}`)
  })

  it("moves its agent's config with the selector, with every JSON type as it was", async () => {
    const name = randomUUID()
    const whole = { name, slug: name, metadata: {}, resourceSelector: "true", jobAgentSelector: "true", jobAgentConfig }
    const { deployment } = await created("W/deployments", whole)
    expect(deployment).toMatchObject({ resourceSelector: "true", jobAgentSelector: "true", jobAgentConfig })
    const path = `W/deployments/${deployment.id}`
    const renamed = await updated(path, {
      name: `${name}-2`,
      slug: name,
      metadata: {},
      jobAgentConfig: { dropped: true },
    })
    expect(renamed.deployment).toMatchObject({ name: `${name}-2`, slug: `${name}-2`, jobAgentConfig })
    expect(renamed.deployment).not.toHaveProperty("resourceSelector")
  })
})

describe("ctrlplane_deployment_system_link and ctrlplane_environment_system_link", () => {
  it("link without a body, read back as the two ids, and survive being repeated", async () => {
    const system = await created("W/systems", { name: randomUUID(), metadata: {} })
    const { deployment } = await created("W/deployments", { name: randomUUID(), slug: "x", metadata: {} })
    const environment = await created("W/environments", { name: randomUUID(), metadata: {} })
    for (const [path, ids] of [
      [`deployments/${deployment.id}`, { systemId: system.id, deploymentId: deployment.id }],
      [`environments/${environment.id}`, { systemId: system.id, environmentId: environment.id }],
    ] as const) {
      const link = `W/systems/${system.id}/${path}`
      for (const _ of [1, 2]) expect(await send("PUT", link)).toMatchObject({ status: 202, body: { id: system.id } })
      expect(await reads(link)).toEqual(ids)
      await deleted(link)
      expect((await send("DELETE", link)).status).toBe(404)
    }
  })

  it("go with their system, which takes neither deployments nor environments with it", async () => {
    const system = await created("W/systems", { name: randomUUID(), metadata: {} })
    const { deployment } = await created("W/deployments", { name: randomUUID(), slug: "x", metadata: {} })
    await send("PUT", `W/systems/${system.id}/deployments/${deployment.id}`)
    expect((await reads(`W/deployments/${deployment.id}`)).systems).toMatchObject([{ id: system.id }])
    await deleted(`W/systems/${system.id}`)
    expect((await reads(`W/deployments/${deployment.id}`)).systems).toEqual([])
    await deleted(`W/deployments/${deployment.id}`)
  })
})

describe("ctrlplane_job_agent", () => {
  it("is created under the id the provider chose, and reads back type, config and metadata", async () => {
    const path = `W/job-agents/${randomUUID()}`
    const config = { apiKey: "k", serverUrl: "https://argo", template: "a: {{ .b }}", retries: 3, insecure: false }
    const body = { name: randomUUID(), type: "argo-cd", config, metadata: { team: "a" } }
    expect(await updated(path, body)).toMatchObject(body)
    const renamed = { ...body, name: randomUUID(), metadata: {} }
    expect(await updated(path, renamed)).toMatchObject(renamed)
    expect(await send("PUT", `W/job-agents/${randomUUID()}`, renamed)).toMatchObject({
      status: 409,
      body: { code: "DUPLICATE_NAME" },
    })
    await deleted(path)
  })
})

describe("ctrlplane_resource_provider and ctrlplane_resource", () => {
  const resource = (identifier: string, more: object = {}) => ({
    identifier,
    name: identifier,
    kind: "Cluster",
    version: "v1",
    config: { b: 1, a: { c: [true, "x"] } },
    metadata: {},
    createdAt: "0001-01-01T00:00:00Z",
    ...more,
  })

  it("keep the order of the set, rename by id, and delete what was dropped", async () => {
    const [name, renamed] = [randomUUID(), randomUUID()]
    const provider = await send("PUT", "W/resource-providers", { id: randomUUID(), name, metadata: { a: "b" } })
    expect(provider).toMatchObject({ status: 202, body: { name, metadata: { a: "b" }, workspaceId: here.workspaceId } })
    const { id } = provider.body
    const set = (...names: ReadonlyArray<string>) =>
      send("PUT", `W/resource-providers/${id}/set`, { resources: names.map(each => resource(`${name}/${each}`)) })
    const listed = async (of: string) =>
      (await reads(`W/resource-providers/name/${of}/resources`)).items.map((item: Answer["body"]) => item.name)
    expect(await set("z", "a", "m")).toMatchObject({ status: 202, body: { ok: true, method: "direct" } })
    expect(await listed(name)).toEqual(["z", "a", "m"].map(each => `${name}/${each}`))

    expect((await send("PUT", "W/resource-providers", { id, name: renamed, metadata: {} })).body).toMatchObject({ id })
    expect((await send("GET", `W/resource-providers/name/${name}`)).status).toBe(404)
    expect(await reads(`W/resource-providers/name/${renamed}`)).toMatchObject({ id, metadata: {} })
    await set("m", "z")
    expect(await listed(renamed)).toEqual(["m", "z"].map(each => `${name}/${each}`))

    const path = `W/resources/identifier/${encodeURIComponent(`${name}/z`)}`
    expect(await reads(path)).toMatchObject({ providerId: id, config: { b: 1, a: { c: [true, "x"] } }, metadata: {} })
    await deleted(path)
    expect((await send("DELETE", path)).status).toBe(404)
  })

  it("are deleted with 202 for Terraform and with 200 for everyone else", async () => {
    const path = `W/resources/identifier/${randomUUID()}`
    const body = { name: "r", kind: "k", version: "v" }
    expect((await send("PUT", path, body)).status).toBe(202)
    expect((await here.api.call("DELETE", path)).status).toBe(200)
    expect((await send("PUT", path, body)).status).toBe(202)
    expect((await send("DELETE", path)).status).toBe(202)
  })
})
