import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { openMemory } from "../src/demonstration/memory.ts"
import { openSite, type Site } from "../src/demonstration/site.ts"

let directory = ""
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sluice-site-"))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const withSite = <A>(use: (site: Site) => Effect.Effect<A, unknown, Scope.Scope>): Promise<A> =>
  Effect.runPromise(Effect.scoped(Effect.flatMap(openSite(directory, "storefront@boston"), use)))

const get = (url: string) =>
  Effect.promise(async () => {
    const response = await fetch(url, { headers: { connection: "close" } })
    return { status: response.status, body: await response.json() }
  })

describe("a site", () => {
  test("answers 503 until something is deployed, then its version and error rate", async () => {
    const seen = await withSite(site =>
      Effect.gen(function* () {
        const before = yield* get(site.url)
        yield* site.deploy("job-1", { version: "1.0.0", errorRate: 0.01 })
        return { before: before.status, after: yield* get(site.url) }
      }),
    )
    expect(seen).toEqual({ before: 503, after: { status: 200, body: { version: "1.0.0", errorRate: 0.01 } } })
  })

  test("comes back after a restart on the same port, with its version, its record and the jobs it did", async () => {
    const first = await withSite(site => Effect.as(site.deploy("job-1", { version: "1.0.0", errorRate: 0 }), site.url))
    const second = await withSite(site =>
      Effect.gen(function* () {
        const { body } = yield* get(site.url)
        return { url: site.url, body, done: [site.isDone("job-1"), site.isDone("job-2")] }
      }),
    )
    expect(second).toEqual({ url: first, body: { version: "1.0.0", errorRate: 0 }, done: [true, false] })
  })

  test("records each version it served since when, once in a row", async () => {
    const served = await withSite(site =>
      Effect.gen(function* () {
        for (const [job, version] of ["1.0.0", "1.1.0", "1.1.0", "1.0.0"].entries()) {
          yield* site.deploy(`job-${job}`, { version, errorRate: 0 })
        }
        return (yield* get(`${site.url}/served`)).body
      }),
    )
    expect((served as ReadonlyArray<{ version: string }>).map(each => each.version)).toEqual([
      "1.0.0",
      "1.1.0",
      "1.0.0",
    ])
  })

  test("takes another port when its own was taken meanwhile", async () => {
    const first = await withSite(site => Effect.succeed(site.url))
    const squatter = createServer().listen(Number(new URL(first).port), "127.0.0.1")
    await new Promise(resolve => squatter.once("listening", resolve))
    const second = await withSite(site => Effect.map(get(site.url), ({ status }) => ({ url: site.url, status })))
    await new Promise(resolve => squatter.close(resolve))
    expect(second.status).toBe(503)
    expect(second.url).not.toBe(first)
  })
})

test("the driver remembers over a restart how far it told its story and where it crashed things", () => {
  openMemory(directory).write({ shown: 7 })
  openMemory(directory).write({ crashed: [1] })
  expect(openMemory(directory).read()).toEqual({ shown: 7, crashed: [1] })
})
