import { describe, expect, it } from "vitest"
import { compile, type Variables } from "../src/compile.ts"
import type { ContextName } from "../src/environment.ts"
import { type EvalResult, evaluate } from "../src/evaluate.ts"
import { type JsonObject, toInput } from "../src/input.ts"

const match: EvalResult = { _tag: "Match" }
const noMatch: EvalResult = { _tag: "NoMatch", reason: "false" }
const missing = (key: string): EvalResult => ({ _tag: "NoMatch", reason: "missingKey", key })

function run<C extends ContextName>(context: C, text: string, entities: Record<string, JsonObject>): EvalResult {
  const result = compile(context, text)
  if (!result.ok) throw new Error(`${text}: ${result.message}`)
  const inputs = Object.entries(entities).map(([name, entity]) => [name, toInput(entity)])
  return evaluate(result.expression, Object.fromEntries(inputs) as Variables<C>)
}

const onResource = (text: string, resource: JsonObject) => run("resourceSelector", text, { resource })

describe("a resource without the key an expression asks for", () => {
  it.each<[string, EvalResult]>([
    [`resource.metadata["env"] != "dev"`, missing("env")],
    [`!(resource.metadata["env"] == "dev")`, missing("env")],
    [`!("env" in resource.metadata) || resource.metadata["env"] != "dev"`, match],
    ["has(resource.metadata.env)", noMatch],
    [`resource.metadata["env"] == "x" || true`, match],
    [`resource.metadata["env"] == "x" && false`, noMatch],
    [`resource.metadata["env"] == "x" || false`, missing("env")],
    [`resource.labels["env"] == "x"`, missing("labels")],
  ])("%s", (text, expected) => {
    expect(onResource(text, { metadata: {} })).toEqual(expected)
  })

  it("still matches by another arm of an or", () => {
    const text = `resource.metadata["a"] == "x" || resource.kind == "k"`
    expect(onResource(text, { kind: "k", metadata: {} })).toEqual(match)
  })

  it("does not match when the whole map is absent", () => {
    expect(run("deploymentFilter", `deployment.metadata["x"] == "y"`, { deployment: {} })).toEqual(missing("metadata"))
  })
})

describe("comparisons and results", () => {
  it.each<[string, JsonObject, EvalResult]>([
    [`"abc".matches("b")`, {}, match],
    [`"abc".matches("^b$")`, {}, noMatch],
    ["resource.config.replicas > 3", { config: { replicas: 5 } }, match],
    ["resource.config.replicas / 2.0 == 2.5", { config: { replicas: 5 } }, match],
    [`resource.metadata["tier"] >= "2"`, { metadata: { tier: "10" } }, noMatch],
    [`"none" in resource.config && has(resource.config.none)`, { config: { none: null } }, match],
    ["resource.config.none == null", { config: { none: null } }, match],
    ["resource.config.flags.exists(flag, flag.on)", { config: { flags: [{ on: false }, { on: true }] } }, match],
  ])("%s on %j", (text, resource, expected) => {
    expect(onResource(text, resource)).toEqual(expected)
  })

  it("fails, rather than not matching, on a comparison of a text with a number", () => {
    const result = onResource("resource.config.replicas > 3", { config: { replicas: "5" } })
    expect(result).toMatchObject({ _tag: "Failed", message: expect.stringContaining("no matching overload for '_>_'") })
  })

  it.each(["1", "t", "T", "true", "TRUE", "True"])("reads the text %s as true", text => {
    expect(onResource("resource.name", { name: text })).toEqual(match)
  })

  it.each(["0", "f", "F", "false", "FALSE", "False"])("reads the text %s as false", text => {
    expect(onResource("resource.name", { name: text })).toEqual(noMatch)
  })

  it.each([
    ["resource.name", "a text"],
    ["1 + 2", "a number"],
    ["resource", "a map"],
    ["[true]", "a list"],
    ["null", "null"],
  ])("%s is no answer: it gives %s", (text, word) => {
    const message = `the expression gives ${word}, not true or false`
    expect(onResource(text, { name: "yes" })).toEqual({ _tag: "Failed", message })
  })

  it("takes the texts true and false without asking for any variable", () => {
    expect(onResource(" true ", {})).toEqual(match)
    expect(onResource("false", {})).toEqual(noMatch)
  })
})

describe("a policy selector", () => {
  it("does not apply to a target in another environment", () => {
    const result = run("policySelector", `environment.name == "prod"`, { environment: { name: "staging" } })
    expect(result).toEqual(noMatch)
  })

  it("does not apply by inequality to a resource without the key", () => {
    const result = run("policySelector", `resource.metadata["region"] != "eu"`, { resource: { metadata: {} } })
    expect(result).toEqual(missing("region"))
  })

  it("never applies by version, which is in scope and empty", () => {
    expect(run("policySelector", `version.tag == "x"`, {})).toEqual(missing("tag"))
  })
})

describe("a version selector", () => {
  const released = `environment.name != "prod" || version.tag.matches("^v\\\\d+\\\\.\\\\d+\\\\.\\\\d+$")`

  it("chooses by the start of the tag", () => {
    const text = `version.tag.startsWith("v2.")`
    expect(run("versionSelector", text, { version: { tag: "v3.0" } })).toEqual(noMatch)
    expect(run("versionSelector", text, { version: { tag: "v2.9" } })).toEqual(match)
  })

  it("denies a version without the branch it asks for", () => {
    const text = `version.metadata["branch"] == "main"`
    expect(run("versionSelector", text, { version: { metadata: {} } })).toEqual(missing("branch"))
  })

  it("keeps release candidates out of production only", () => {
    const version = { tag: "v1.2.3-rc1" }
    expect(run("versionSelector", released, { version, environment: { name: "prod" } })).toEqual(noMatch)
    expect(run("versionSelector", released, { version, environment: { name: "staging" } })).toEqual(match)
    expect(run("versionSelector", released, { version: { tag: "v1.2.3" }, environment: { name: "prod" } })).toEqual(
      match,
    )
  })
})

describe("a verification condition", () => {
  const on = (text: string, result: JsonObject) => run("verificationCondition", text, { result })

  it("looks into lists of the answer", () => {
    const text = "result.json.checks.all(c, c.ok == true)"
    expect(on(text, { json: { checks: [{ ok: true }, { ok: true }] } })).toEqual(match)
    expect(on(text, { json: { checks: [{ ok: true }, { ok: false }] } })).toEqual(noMatch)
  })

  it("fails on a field of an answer that was no JSON, which is not a missing key", () => {
    const result = on(`result.json.status == "ok"`, { json: null })
    expect(result).toEqual({ _tag: "Failed", message: "null has no fields" })
  })

  it("fails on a comparison with null, and is guarded by asking for null first", () => {
    const empty = { queries: { error_rate: null } }
    expect(on("result.queries.error_rate < 0.01", empty)._tag).toBe("Failed")
    expect(on("result.queries.error_rate != null && result.queries.error_rate < 0.01", empty)).toEqual(noMatch)
  })

  it("sees a status code given as an int as one, and numbers of the body as doubles", () => {
    const probe = { statusCode: 204n, json: { share: 5 } }
    expect(on("result.statusCode / 100 == 2 && type(result.statusCode) == int", probe)).toEqual(match)
    expect(on("result.json.share / 2.0 == 2.5 && type(result.json.share) == double", probe)).toEqual(match)
  })
})
