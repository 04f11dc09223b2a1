/** What every request meets before its handler: which error wins, and in which shape it comes. */
import { readFileSync } from "node:fs"
import { operations } from "@sluice/api/operations"
import { describe, expect, it } from "vitest"
import { routes } from "../src/routes.ts"
import { gatewayVersion } from "../src/server.ts"
import { adminKey, otherKey } from "./kit.ts"
import { served } from "./served.ts"

const gateway = served()
const wrongKey = `${"a".repeat(16)}.${"9".repeat(64)}`

describe("a request", () => {
  it("that is wrong in several ways gets the error the contract puts first", async () => {
    const { call, W } = gateway()
    expect((await call("GET", "/v1/nowhere", { key: null })).status).toBe(404)
    expect((await call("PURGE", `${W}/systems`, { key: null })).status).toBe(405)
    expect((await call("GET", `${W}/systems?limit=0`, { key: null })).status).toBe(401)
    expect((await call("GET", `${W}/systems?limit=0`, { key: wrongKey })).status).toBe(400)
    expect((await call("GET", `${W}/systems`, { key: wrongKey })).status).toBe(401)
    expect((await call("GET", `${W}/systems/11111111-1111-4111-8111-111111111111`)).status).toBe(404)
  })

  it("that fails gets one body every client can read", async () => {
    const { call, W } = gateway()
    for (const answer of [
      await call("GET", "/v1/nowhere"),
      await call("GET", `${W}/systems`, { key: "nonsense" }),
      await call("POST", `${W}/systems`, { body: { name: 5 } }),
      await call("PUT", `${W}/policies/not-a-uuid`, { body: {} }),
    ]) {
      expect(answer.type).toContain("application/json")
      expect(answer.body).toEqual({
        error: answer.body.message,
        message: expect.any(String),
        code: expect.any(String),
        details: expect.any(Object),
      })
      expect(Array.isArray(answer.body.details)).toBe(false)
    }
  })

  it("with a body that is not declared as JSON is 415, one that is not JSON 400", async () => {
    const { call, W } = gateway()
    const body = { raw: "name=a", headers: { "content-type": "text/plain" } }
    expect((await call("POST", `${W}/systems`, body)).status).toBe(415)
    expect((await call("POST", `${W}/systems`, { raw: "{" })).status).toBe(400)
  })

  it("says where in the body the mistake is", async () => {
    const { call, W } = gateway()
    const { body } = await call("POST", `${W}/environments`, { body: { name: "e", metadata: { team: 5 } } })
    expect(body.message).toContain("body.metadata.team")
  })

  it("matches its path in any case and with one trailing slash, but not with an empty segment", async () => {
    const { call, workspaceId } = gateway()
    expect((await call("GET", `/V1/Workspaces/${workspaceId}/Systems/`)).status).toBe(200)
    expect((await call("GET", `/v1/workspaces//systems`)).status).toBe(404)
    expect((await call("GET", `/v1/workspaces/slug/`)).status).toBe(404)
  })

  it("may name the workspace by its slug", async () => {
    const { call } = gateway()
    expect((await call("GET", "/v1/workspaces/default/systems")).status).toBe(200)
  })

  it("cannot reach a workspace its key's user is no member of", async () => {
    const { call, W } = gateway()
    expect((await call("GET", W, { key: otherKey })).status).toBe(404)
    expect((await call("GET", "/v1/workspaces/slug/default", { key: otherKey })).status).toBe(404)
    expect((await call("GET", `${W}/systems`, { key: otherKey })).status).toBe(404)
    const { body } = await call("GET", "/v1/workspaces", { key: otherKey })
    expect(body.workspaces.map((each: { slug: string }) => each.slug)).toEqual(["elsewhere"])
  })

  it("that spells an optional field as null has not given it", async () => {
    const { call, W } = gateway()
    const created = await call("POST", `${W}/systems`, { body: { name: "nulls", description: null, metadata: null } })
    expect(created.status).toBe(202)
    const { body } = await call("GET", `${W}/systems/${created.body.id}`)
    expect(body.metadata).toEqual({})
    expect("description" in body).toBe(false)
  })

  it("for a page outside the range is refused, beyond the end is empty", async () => {
    const { call, W } = gateway()
    for (const query of ["limit=1001", "limit=0", "limit=x", "offset=-1", "limit="]) {
      expect((await call("GET", `${W}/systems?${query}`)).status).toBe(400)
    }
    const { body } = await call("GET", `${W}/systems?limit=7&offset=1000`)
    expect(body).toMatchObject({ items: [], limit: 7, offset: 1000 })
  })
})

describe("without a key", () => {
  it("health, version and the OpenAPI document are open", async () => {
    const { call } = gateway()
    expect((await call("GET", "/healthz", { key: null })).body).toEqual({ status: "ok" })
    expect((await call("GET", "/version", { key: null })).body.api).toBe(gatewayVersion)
    const { body } = await call("GET", "/openapi.json", { key: null })
    expect(
      body.paths["/v1/workspaces/{workspaceId}/systems"].post.requestBody.content["application/json"],
    ).toBeDefined()
  })
})

describe("the table of routes", () => {
  it("has a handler for every operation and no other", () => {
    const ids = (list: ReadonlyArray<{ readonly id: string }>) => list.map(each => each.id).sort()
    expect(ids(routes.map(route => route.operation))).toEqual(ids(operations))
    expect(new Set(ids(operations)).size).toBe(operations.length)
  })

  it("is of the version its package says", () => {
    const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"))
    expect(gatewayVersion).toBe(version)
  })
})

describe("a workspace", () => {
  it("is created, renamed and deleted, and its slug is taken once", async () => {
    const { call } = gateway()
    const created = await call("POST", "/v1/workspaces", { body: { name: "Third", slug: "third" }, key: adminKey })
    expect(created).toMatchObject({ status: 201, body: { name: "Third", slug: "third" } })
    const again = await call("POST", "/v1/workspaces", { body: { name: "Third", slug: "third" } })
    expect(again).toMatchObject({ status: 409, body: { code: "DUPLICATE_SLUG" } })
    const renamed = await call("PATCH", `/v1/workspaces/${created.body.id}`, { body: { name: "Renamed" } })
    expect(renamed).toMatchObject({ status: 200, body: { name: "Renamed", slug: "third" } })
    const deleted = await call("DELETE", `/v1/workspaces/${created.body.id}`)
    expect(deleted).toMatchObject({ status: 204, body: "" })
    expect(deleted.type).not.toContain("json")
    expect((await call("GET", `/v1/workspaces/${created.body.id}`)).status).toBe(404)
  })
})
