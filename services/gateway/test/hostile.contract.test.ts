/** What nobody should send and somebody will: each is refused as the caller's mistake, and none of it is a 500. */
import { randomUUID } from "node:crypto"
import { connect } from "node:net"
import { describe, expect, it } from "vitest"
import { jsonDepthMax, unstorable } from "../src/storable.ts"
import { adminKey, type CallOptions } from "./kit.ts"
import { served } from "./served.ts"

const gateway = served()

const refused = async (method: string, path: string, options: CallOptions): Promise<string> => {
  const { call, W } = gateway()
  const answer = await call(method, `${W}${path}`, options)
  expect(answer, `${method} ${path}`).toMatchObject({ status: 400, body: { code: expect.any(String) } })
  return answer.body.message
}

/** Head and body of the answer to a request line no client library would send. */
const asSent = (line: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(gateway().base)
    const socket = connect(Number(port), hostname)
    let answer = ""
    socket
      .setEncoding("utf8")
      .on("data", text => {
        answer += text
      })
      .on("end", () => resolve(answer))
      .on("error", reject)
    socket.write(`${line} HTTP/1.1\r\nHost: x\r\nX-Api-Key: ${adminKey}\r\nConnection: close\r\n\r\n`)
  })

describe("a text that Postgres cannot hold", () => {
  it("is refused with its place, in a name, a map, a key, a path and a query", async () => {
    expect(await refused("POST", "/systems", { body: { name: "a\0b" } })).toBe("body.name: holds a null character")
    expect(await refused("POST", "/systems", { body: { name: "a", metadata: { k: "\0" } } })).toBe(
      "body.metadata.k: holds a null character",
    )
    expect(await refused("POST", "/systems", { body: { name: "a", metadata: { "k\0": "v" } } })).toBe(
      "body.metadata: a key holds a null character",
    )
    expect(await refused("POST", "/systems", { raw: '{"name":"\\ud800"}' })).toBe(
      "body.name: holds half a surrogate pair",
    )
    expect(await refused("GET", "/resources/identifier/%00", {})).toContain("null character")
    expect(await refused("GET", "/resources?cel=%00", {})).toContain("null character")
    expect(await refused("POST", "/resources/search", { body: { query: "\0" } })).toContain("null character")
  })

  it("is told from an emoji and from names in any script", async () => {
    const { call, W } = gateway()
    const name = `日本語 🚀 ünïcode ${randomUUID()}`
    const { body } = await call("POST", `${W}/environments`, { body: { name } })
    expect((await call("GET", `${W}/environments/name/${encodeURIComponent(name)}`)).body).toMatchObject({
      id: body.id,
      name,
    })
  })
})

describe("a body", () => {
  it("that nests too deeply is refused before anybody walks it", async () => {
    const nested = (depth: number, open: string, close: string) =>
      `{"name":"deep","slug":"deep","jobAgentConfig":{"a":${open.repeat(depth)}1${close.repeat(depth)}}}`
    for (const depth of [jsonDepthMax, 5_000, 100_000]) {
      for (const raw of [nested(depth, '{"a":', "}"), nested(depth, "[", "]")]) {
        expect(await refused("POST", "/deployments", { raw })).toContain(`deeper than ${jsonDepthMax} levels`)
      }
    }
    expect(unstorable(JSON.parse("[".repeat(jsonDepthMax) + "]".repeat(jsonDepthMax)), "body")).toBeUndefined()
  })

  it("that is no object, or no JSON, is refused", async () => {
    for (const raw of ["", "{", "[]", "null", '"text"', "5", '{"name":'])
      expect(await refused("POST", "/systems", { raw }), raw).toEqual(expect.any(String))
  })

  it("with a name too long for an index, or a selector too long to compile, is refused", async () => {
    const noise = Array.from({ length: 3_000 }, () => randomUUID()).join("")
    await refused("POST", "/environments", { body: { name: noise } })
    await refused("POST", "/deployments", { body: { name: noise, slug: "x" } })
    const selectors = [`${"(".repeat(3_000)}true${")".repeat(3_000)}`, `${"true||".repeat(20_000)}true`]
    for (const resourceSelector of selectors) {
      await refused("POST", "/environments", { body: { name: randomUUID(), resourceSelector } })
    }
  })

  it("whose message would not travel is refused, and the next request is served", async () => {
    const { call, W } = gateway()
    await refused("POST", "/systems", { body: { name: "n".repeat(2_000_000) } })
    expect((await call("POST", `${W}/systems`, { body: { name: "short" } })).status).toBe(202)
  })

  it("with more resources than one message names is told in several, and nothing is lost", async () => {
    const { call, query, W } = gateway()
    const provider = await call("PUT", `${W}/resource-providers`, { body: { id: "", name: randomUUID() } })
    const resource = { kind: "Bulk", name: "b", version: "v", config: {}, metadata: {} }
    const resources = Array.from({ length: 17_000 }, (_, index) => ({ ...resource, identifier: `bulk/${index}` }))
    const set = await call("PUT", `${W}/resource-providers/${provider.body.id}/set`, { body: { resources } })
    expect(set).toMatchObject({ status: 202, body: { ok: true } })
    const told = await query<{ count: number }>(
      `SELECT jsonb_array_length(envelope -> 'body' -> 'resources') AS count FROM outbox
       WHERE envelope ->> 'type' = 'CatalogChanged' AND jsonb_array_length(envelope -> 'body' -> 'resources') > 900`,
    )
    expect(told.map(row => row.count).sort((a, b) => b - a)).toEqual([16_000, 1_000])
  })
})

describe("an address", () => {
  it("that no URL parser takes is not found", async () => {
    for (const target of ["//", "///api/v1", "*", "http://[", "/api/../api/healthz", "/api/v1/%zz"]) {
      expect(await asSent(`GET ${target}`), target).toMatch(/^HTTP\/1.1 404 /)
    }
    expect(await asSent(`GET /api${gateway().W}/resources/identifier/%E0%A4%A`)).toMatch(/^HTTP\/1.1 400 /)
    expect(await asSent("GET /api/healthz?%zz")).toMatch(/^HTTP\/1.1 200 /)
  })

  it("asked with another method says which it knows; HEAD is enough for health", async () => {
    const { base, W } = gateway()
    for (const method of ["HEAD", "OPTIONS", "PATCH", "DELETE"]) {
      const answer = await fetch(`${base}/api${W}/systems`, { method })
      expect([answer.status, answer.headers.get("allow")], method).toEqual([405, "GET, POST"])
    }
    expect((await fetch(`${base}/api/healthz`, { method: "HEAD" })).status).toBe(200)
    expect((await fetch(`${base}/api/healthz/`)).status).toBe(200)
  })
})

describe("ten callers at the same moment", () => {
  const ten = async (make: () => Promise<{ readonly status: number; readonly body: { readonly id?: string } }>) => {
    const answers = await Promise.all(Array.from({ length: 10 }, make))
    return {
      statuses: answers.map(answer => answer.status).sort(),
      ids: new Set(answers.map(answer => answer.body.id)),
    }
  }
  const oneOf = (status: number) => [status, ...Array.from({ length: 9 }, () => 409)]

  it("that create the same name leave one creator and nine conflicts", async () => {
    const { call, W } = gateway()
    const name = randomUUID()
    const post = (path: string, body: object) => ten(() => call("POST", `${W}${path}`, { body }))
    expect((await post("/environments", { name })).statuses).toEqual(oneOf(202))
    expect((await post("/deployments", { name, slug: name })).statuses).toEqual(oneOf(202))
    const agent = { name, type: "http-pull", config: {} }
    expect((await ten(() => call("PUT", `${W}/job-agents/${randomUUID()}`, { body: agent }))).statuses).toEqual(
      oneOf(202),
    )
    const workspace = { name: "together", slug: name }
    expect((await ten(() => call("POST", "/v1/workspaces", { body: workspace }))).statuses).toEqual(oneOf(201))
  })

  it("that upsert the same thing all succeed, on one row", async () => {
    const { call, W } = gateway()
    const name = randomUUID()
    const puts: ReadonlyArray<readonly [string, object]> = [
      ["/resource-providers", { id: "", name }],
      [`/resources/identifier/${name}`, { name, kind: "k", version: "v" }],
      [`/systems/${randomUUID()}`, { name }],
      [
        `/policies/${randomUUID()}`,
        { name, selector: "false", enabled: true, priority: 0, metadata: {}, rules: [{ retry: { maxRetries: 1 } }] },
      ],
    ]
    for (const [path, body] of puts) {
      const { statuses, ids } = await ten(() => call("PUT", `${W}${path}`, { body }))
      expect([new Set(statuses), ids.size], path).toEqual([new Set([202]), 1])
    }
  })
})
