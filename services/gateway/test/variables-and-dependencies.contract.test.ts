/** Variables of resources, as `ctrlc apply` and `ctrlc sync pipe` write them, and what versions need of other deployments. */
import { randomUUID } from "node:crypto"
import { describe, expect, it } from "vitest"
import { served } from "./served.ts"

const gateway = served()

describe("a resource's variables", () => {
  const path = (identifier: string) => `${gateway().W}/resources/identifier/${encodeURIComponent(identifier)}`
  const make = async (more: object = {}): Promise<{ readonly identifier: string; readonly id: string }> => {
    const identifier = `cluster/${randomUUID()}`
    const body = { name: "r", kind: "k", version: "v", ...more }
    const { status, body: answer } = await gateway().call("PUT", path(identifier), { body })
    expect(status).toBe(202)
    return { identifier, id: answer.id }
  }
  const values = async (identifier: string): Promise<Record<string, unknown>> => {
    const { body } = await gateway().call("GET", `${path(identifier)}/variables`)
    return Object.fromEntries(body.items.map((item: { key: string; value: unknown }) => [item.key, item.value]))
  }

  it("are replaced as a whole by PATCH, which ctrlc apply sends even when there are none", async () => {
    const { call } = gateway()
    const { identifier, id } = await make()
    const patch = (body: object) => call("PATCH", `${path(identifier)}/variables`, { body })
    expect(await patch({ a: "x", b: 5, c: true })).toMatchObject({ status: 202, body: { id } })
    expect(await patch({ b: 1.5, d: { deep: [1] }, e: [1, 2], f: { reference: "vpc", path: ["name"] } })).toMatchObject(
      {
        status: 202,
      },
    )
    const { body } = await call("GET", `${path(identifier)}/variables?limit=2&offset=1`)
    expect(body).toEqual({
      items: [
        { resourceId: id, key: "d", value: { object: { deep: [1] } } },
        { resourceId: id, key: "e", value: { object: [1, 2] } },
      ],
      total: 4,
      limit: 2,
      offset: 1,
    })
    expect(await values(identifier)).toMatchObject({ b: 1.5, f: { reference: "vpc", path: ["name"] } })
    expect((await patch({})).status).toBe(202)
    expect(await values(identifier)).toEqual({})
  })

  it("stay when PUT does not speak of them, and are replaced when it does", async () => {
    const { call } = gateway()
    const { identifier } = await make({ variables: { region: "eu", gone: null } })
    const again = { name: "r2", kind: "k", version: "v" }
    await call("PUT", path(identifier), { body: again })
    expect(await values(identifier)).toEqual({ region: "eu" })
    await call("PUT", path(identifier), { body: { ...again, variables: {} } })
    expect(await values(identifier)).toEqual({})
  })

  it("of a resource that is not there are not found, which ctrlc takes as a reason to try again", async () => {
    const { call } = gateway()
    const answer = await call("PATCH", `${path("nobody")}/variables`, { body: {} })
    expect(answer).toMatchObject({ status: 404, body: { error: expect.any(String), message: expect.any(String) } })
    expect((await call("GET", `${path("nobody")}/variables`)).status).toBe(404)
  })

  it("of deployments are none yet, which is a page and no error", async () => {
    const { call, W } = gateway()
    expect((await call("GET", `${W}/deployments/${randomUUID()}/variables?limit=10`)).body).toEqual({
      items: [],
      total: 0,
      limit: 10,
      offset: 0,
    })
  })
})

describe("a version's dependencies", () => {
  const deployment = async (): Promise<string> => {
    const { call, W } = gateway()
    const name = randomUUID()
    return (await call("POST", `${W}/deployments`, { body: { name, slug: name } })).body.id
  }

  it("are set, replaced, listed as a bare array in order, and dropped once", async () => {
    const { call, W } = gateway()
    const [own, one, two] = [await deployment(), await deployment(), await deployment()]
    const version = await call("POST", `${W}/deployments/${own}/versions`, {
      body: { tag: "1", name: "", status: "ready", dependencies: { [two]: { versionSelector: "true" } } },
    })
    const edges = `${W}/deployment-versions/${version.body.id}/dependencies`
    const set = (id: string, versionSelector: string) => call("PUT", `${edges}/${id}`, { body: { versionSelector } })
    expect(await set(one, "version.tag == '2'")).toMatchObject({ status: 202, body: { id: version.body.id } })
    expect((await set(two, "version.tag.startsWith('3')")).status).toBe(202)
    const edge = { deploymentVersionId: version.body.id }
    expect((await call("GET", edges)).body).toEqual([
      { ...edge, dependencyDeploymentId: one, versionSelector: "version.tag == '2'" },
      { ...edge, dependencyDeploymentId: two, versionSelector: "version.tag.startsWith('3')" },
    ])
    expect((await call("DELETE", `${edges}/${one}`)).status).toBe(202)
    expect((await call("DELETE", `${edges}/${one}`)).status).toBe(404)
    const [listed] = (await call("GET", `${W}/deployments/${own}/versions`)).body.items
    expect(listed.dependencies).toEqual({ [two]: { versionSelector: "version.tag.startsWith('3')" } })

    expect((await set(own, "true")).status).toBe(400)
    expect((await set(one, "((")).status).toBe(400)
    expect((await set(randomUUID(), "true")).status).toBe(404)
    expect((await call("GET", `${W}/deployment-versions/${randomUUID()}/dependencies`)).status).toBe(404)
  })
})

describe("a resource provider", () => {
  it("that was deleted comes back under the id it had", async () => {
    const { call, W } = gateway()
    const body = { id: randomUUID(), name: randomUUID() }
    const upsert = () => call("PUT", `${W}/resource-providers`, { body })
    expect((await upsert()).body.id).toBe(body.id)
    expect((await call("DELETE", `${W}/resource-providers/name/${body.name}`)).status).toBe(202)
    expect(await upsert()).toMatchObject({ status: 202, body })
  })
})
