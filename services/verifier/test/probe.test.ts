import type { JsonObject } from "@sluice/domain/json"
import type { HttpProvider, MetricSpec } from "@sluice/domain/verification"
import type { ProbeMeasured } from "@sluice/protocol/verification"
import { Effect } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import { probeMetric } from "../src/handle.ts"
import { dataBytesMax } from "../src/measurement-data.ts"
import { metric, verificationId, workspaceId } from "./drive.ts"
import { json, type Site, site } from "./site.ts"

const sites: Array<Site> = []
afterEach(() => Promise.all(sites.splice(0).map(one => one.close())))
const serve = async (...args: Parameters<typeof site>): Promise<Site> => {
  const one = await site(...args)
  sites.push(one)
  return one
}

/** Runs the activity once and returns the message it sends to the verification. */
const probe = async (spec: Partial<MetricSpec>, context: JsonObject = {}): Promise<ProbeMeasured> => {
  const payload = { verificationId, metric: 2, round: 7, spec: metric(spec), context }
  const work = { id: "w", key: "k", workspaceId, correlationId: "c", delivery: 1, payload }
  const outcome = await Effect.runPromise(probeMetric.run(work))
  if (outcome._tag !== "Done") throw new Error(`the probe ended ${outcome._tag}`)
  const [message, ...more] = probeMetric.outcomes.Done(work, outcome.result)
  expect(more).toEqual([])
  expect(message).toMatchObject({ kind: "verification", workspaceId, key: verificationId, type: "ProbeMeasured" })
  return message?.body as ProbeMeasured
}

const http = (url: string, more: Partial<HttpProvider> = {}): HttpProvider => ({ type: "http", url, ...more })

describe("an http probe", () => {
  it("carries the fence of its question and the time it began", async () => {
    const { url } = await serve(json(200, {}))
    const before = Date.now()
    const measured = await probe({ provider: http(url) })
    expect([measured.metric, measured.round, measured.status]).toEqual([2, 7, "passed"])
    expect(measured.measuredAt).toBeGreaterThanOrEqual(before)
    expect(measured.measuredAt).toBeLessThanOrEqual(Date.now())
  })

  it("measures an answer of any status: a 503 is failed, or inconclusive beside a failure condition (V-P-1)", async () => {
    const { url } = await serve(json(503, { status: "down" }))
    expect((await probe({ provider: http(url), successCondition: "result.ok" })).status).toBe("failed")
    const spec = { provider: http(url), successCondition: "result.ok", failureCondition: "result.statusCode == 500" }
    expect((await probe(spec)).status).toBe("inconclusive")
    expect((await probe({ ...spec, failureCondition: "result.statusCode == 503" })).status).toBe("failed")
  })

  it("gives a provider error, not a measurement, when nothing listens (V-P-2)", async () => {
    const gone = await site(json(200, {}))
    await gone.close()
    const measured = await probe({ provider: http(gone.url) })
    expect(measured.status).toBe("error")
    expect(measured.message).toBe(`no answer from ${new URL(gone.url).host}: ECONNREFUSED`)
    expect(measured.data).toBeUndefined()
  })

  it("reads JSON with the language's macros, and fails on JSON that is none (V-P-3)", async () => {
    const good = await serve(json(200, { checks: [{ ok: true }, { ok: true }] }))
    const bad = await serve(json(200, { checks: [{ ok: true }, { ok: false }] }))
    const text = await serve(response => response.end("fine"))
    const all = "result.json.checks.all(c, c.ok == true)"
    expect((await probe({ provider: http(good.url), successCondition: all })).status).toBe("passed")
    expect((await probe({ provider: http(bad.url), successCondition: all })).status).toBe("failed")
    const spec = { provider: http(text.url), successCondition: 'result.json.status == "ok"' }
    expect((await probe(spec)).status).toBe("failed")
    expect((await probe({ ...spec, failureCondition: "false" })).status).toBe("failed")
  })

  it("takes a missing key for a condition that does not hold", async () => {
    const { url } = await serve(json(200, { version: "1.0.0" }))
    const spec = { provider: http(url), successCondition: "result.json.errorRate < 0.05" }
    expect(await probe(spec)).toMatchObject({ status: "failed", message: "successCondition: errorRate is missing" })
    expect((await probe({ ...spec, failureCondition: "result.json.errorRate > 0.2" })).status).toBe("inconclusive")
  })

  it("shows statusCode as an int, JSON numbers as doubles, and headers by their canonical names", async () => {
    const { url } = await serve(response => {
      response.setHeader("x-build-id", "7")
      response.end('{"five": 5}')
    })
    const successCondition =
      'type(result.statusCode) == int && result.json.five / 2.0 == 2.5 && result.headers["X-Build-Id"][0] == "7"'
    expect(await probe({ provider: http(url), successCondition })).toMatchObject({ status: "passed" })
  })

  it("gives a provider error when the answer does not come in time", async () => {
    const { url } = await serve(() => {})
    const measured = await probe({ provider: http(url, { timeout: "50ms" }) })
    expect(measured).toMatchObject({ status: "error", message: `no answer from ${new URL(url).host} within 50 ms` })
  })

  it("gives a provider error when the connection breaks in the middle of the body", async () => {
    const { url } = await serve(response => {
      response.writeHead(200, { "content-length": "1000" })
      response.write("half", () => response.destroy())
    })
    expect((await probe({ provider: http(url) })).status).toBe("error")
  })

  it("gives a provider error for what it cannot send", async () => {
    const { url } = await serve(json(200, {}))
    const wrong: ReadonlyArray<readonly [Partial<MetricSpec>, RegExp]> = [
      [{ provider: http("ftp://example.com/") }, /^url: not an http or https address$/],
      [{ provider: http("not an address") }, /^url: not an http or https address$/],
      [{ provider: http(url, { timeout: "soon" }) }, /^timeout: "soon" is no duration$/],
      [{ provider: http(url, { headers: { "x-a": "line\nbreak" } }) }, /failed: /],
      [{ provider: http(url), successCondition: "result.ok &&" }, /^successCondition: /],
      [{ provider: http(url), failureCondition: "nonsense(" }, /^failureCondition: /],
      [{ provider: { type: "datadog" } }, /^provider datadog: not supported by this release$/],
    ]
    for (const [spec, message] of wrong) {
      const measured = await probe(spec)
      expect(measured.status).toBe("error")
      expect(measured.message).toMatch(message)
    }
  })
})

describe("the templates of a metric", () => {
  const context = { resource: { name: "api", metadata: {} }, version: { tag: "v1" }, variables: {} }

  it("fill in address, header values, body and both conditions (V-T-1, V-T-3)", async () => {
    const one = await serve(json(200, { tag: "v1" }))
    const provider = http(`${one.url}/{{ .resource.name }}/{{ .version.tag }}`, {
      method: "POST",
      headers: { "x-region": '{{ .resource.metadata.region | default "us" }}' },
      body: '{"tag": "{{ .version.tag }}"}',
    })
    const successCondition = 'result.json.tag == "{{ .version.tag }}"'
    expect((await probe({ provider, successCondition }, context)).status).toBe("passed")
    expect(one.asked).toHaveLength(1)
    expect(one.asked[0]).toMatchObject({ method: "POST", url: "/api/v1", body: '{"tag": "v1"}' })
    expect(one.asked[0]?.headers["x-region"]).toBe("us")
  })

  it("make a provider error that names the key when one is missing (V-T-2)", async () => {
    const one = await serve(json(200, {}))
    const missing = "{{ .variables.missing }}"
    for (const spec of [
      { provider: http(`${one.url}/${missing}`) },
      { provider: http(one.url, { headers: { a: missing } }) },
      { provider: http(one.url, { body: missing }) },
      { provider: http(one.url), successCondition: `result.ok == ${missing}` },
      { provider: http(one.url), failureCondition: `result.ok == ${missing}` },
    ]) {
      const measured = await probe(spec, context)
      expect(measured.status).toBe("error")
      expect(measured.message).toContain(".variables.missing")
    }
    expect(one.asked).toEqual([])
  })
})

describe("what is kept of an answer", () => {
  it("shows status, body and headers, but neither cookies nor anything of the request", async () => {
    const { url } = await serve(response => {
      response.setHeader("set-cookie", "session=hush")
      response.end('{"a": 1}')
    })
    const { data } = await probe({ provider: http(`${url}/?key=hush`, { headers: { authorization: "hush" } }) })
    expect(data).toMatchObject({ ok: true, statusCode: 200, body: '{"a": 1}', json: { a: 1 } })
    expect(JSON.stringify(data)).not.toContain("hush")
  })

  it("is bounded, whatever the size, and can be stored as JSON", async () => {
    const { url } = await serve(response => response.end(`"\u0000\ud83d${"\u0001".repeat(2_000_000)}"`))
    const { data, status } = await probe({ provider: http(url), successCondition: "size(result.body) > 1000000" })
    expect(status).toBe("passed")
    expect(data).toMatchObject({ truncated: true })
    const text = JSON.stringify(data)
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(dataBytesMax)
    expect(text).not.toContain("\\u0000")
    expect(text).not.toMatch(/\\ud83d/)
  })

  it("leaves out JSON that nests too deeply, and keeps its text", async () => {
    const deep = `${"[".repeat(5_000)}${"]".repeat(5_000)}`
    const { url } = await serve(response => response.end(deep))
    const { data } = await probe({ provider: http(url) })
    expect(data).not.toHaveProperty("json")
    expect(data?.body).toBe(deep)
  })
})

describe("a sleep probe", () => {
  it("answers at once: its sleep is over when it is asked for", async () => {
    const spec = { provider: { type: "sleep", durationSeconds: 3_600 } as const, successCondition: "result.ok" }
    expect(await probe(spec)).toMatchObject({ status: "passed", data: { ok: true } })
  })
})
