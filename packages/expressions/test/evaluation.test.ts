import { describe, expect, it } from "vitest"
import { compile } from "../src/compile.ts"
import { contexts } from "../src/environment.ts"
import { evaluate, evaluateValue } from "../src/evaluate.ts"
import { toInput } from "../src/input.ts"
import { Lru } from "../src/lru.ts"
import { stepBudget } from "../src/meter.ts"

function expression(text: string) {
  const result = compile("policySelector", text)
  if (!result.ok) throw new Error(`${text}: ${result.message}`)
  return result.expression
}

const value = (text: string, resource = toInput({})) => evaluateValue(expression(text), { resource })
const exceeded = { _tag: "Failed", message: `the expression needs more than its budget of ${stepBudget} steps` }

describe("the step budget", () => {
  const nested = "lists.range(100).all(a, lists.range(100).all(b, lists.range(100).all(c, true)))"
  const doubled = Array.from({ length: 60 }).reduce<string>(
    (list, _, i) => `[${list}].map(a${i}, [a${i}, a${i}])`,
    "[1]",
  )

  it.each([
    ["nested comprehensions", nested],
    ["a text that grows tenfold per call", `"a"${`.replace("a", "aaaaaaaaaa")`.repeat(30)} == ""`],
    ["a tree of shared lists", `${doubled} == ${doubled}`],
    [
      "a comprehension in a comprehension that stops at once",
      "[lists.range(20000)].all(l, l.all(x, l.exists(y, true)))",
    ],
    ["a list of astronomical length", "lists.range(9223372036854775807).size() > 0"],
    ["a list built one element at a time", "lists.range(50000).map(x, x).size() > 0"],
    ["pairs of two lists", "sets.contains(lists.range(2000), lists.range(2000).reverse())"],
  ])("ends %s", (_, text) => {
    expect(evaluate(expression(text), {})).toEqual(exceeded)
  })

  it("cannot be swallowed by an or", () => {
    expect(evaluate(expression(`${nested} || true`), {})).toEqual(exceeded)
    expect(evaluate(expression(`true || ${nested}`), {})).toEqual({ _tag: "Match" })
  })

  it("starts afresh with every evaluation", () => {
    const half = expression("lists.range(20000).all(x, x >= 0)")
    for (let i = 0; i < 5; i++) expect(evaluate(half, {})).toEqual({ _tag: "Match" })
  })

  it("leaves room for a map over a list of a thousand and reading it back", () => {
    const resource = toInput({ list: Array.from({ length: 1_000 }, (_, i) => i) })
    expect(evaluate(expression("resource.list.map(x, x + 1.0).all(x, x > 0.0)"), { resource })).toEqual({
      _tag: "Match",
    })
  })

  it("leaves room for a search through the largest answer a probe keeps", () => {
    const resource = toInput({ body: `${"x".repeat(1024 * 1024 - 2)}ok` })
    expect(evaluate(expression(`resource.body.contains("ok")`), { resource })).toEqual({ _tag: "Match" })
    expect(evaluate(expression(`resource.body.matches("xo?k$")`), { resource })).toEqual({ _tag: "Match" })
  })
})

describe("the value of an expression", () => {
  it.each([
    ["resource.id", "r1"],
    ["1 + 2", 3],
    ["[1, 2u, 3.5, null, true]", [1, 2, 3.5, null, true]],
    [`{"a": {1: "b"}}`, { a: { 1: "b" } }],
    [`timestamp("2025-01-02T03:04:05Z")`, "2025-01-02T03:04:05Z"],
    [`duration("90s")`, "90s"],
    [`b"hi"`, "aGk="],
    ["type(1)", "int"],
  ])("%s is %j", (text, expected) => {
    expect(value(text, toInput({ id: "r1" }))).toEqual({ _tag: "Value", value: expected })
  })

  it("names the key it missed", () => {
    expect(value("resource.metadata.team")).toEqual({ _tag: "MissingKey", key: "metadata" })
  })

  it("is not a failure of the process when shared lists unfold beyond any size", () => {
    const doubled = Array.from({ length: 40 }).reduce<string>(
      (list, _, i) => `[${list}].map(a${i}, [a${i}, a${i}])`,
      "[1]",
    )
    expect(value(doubled)).toEqual({ _tag: "Failed", message: "the result holds more than 10000 values" })
  })
})

describe("extension functions", () => {
  it.each([
    [`"a-b-a".replace("a", "$&")`, "$&-b-$&"],
    [`"a-b-a".replace("a", "c", 1)`, "c-b-a"],
    [`"héé".reverse() + "Ab".upperAscii()`, "ééhAB"],
    [`["a", "b"].join("+")`, "a+b"],
    ["math.greatest(1, 2.5, 2u)", 2.5],
    ["math.least([4, -1, 3])", -1],
    ["math.round(-2.5)", -3],
    ["math.bitShiftRight(-1, 60)", 15],
    ["[3, 1, 2, 1].distinct().sort()", [1, 2, 3]],
    ["[1, [2, [3]]].flatten()", [1, 2, [3]]],
    ["[1, [2, [3]]].flatten(2)", [1, 2, 3]],
    ["lists.range(4).slice(1, 3)", [1, 2]],
    [`sets.contains(["a", "b"], ["b"]) && !sets.contains(["a"], ["b"])`, true],
    ["sets.equivalent([1, 2], [2.0, 1u, 1]) && sets.intersects([1, 2], [2, 3])", true],
  ])("%s is %j", (text, expected) => {
    expect(value(text)).toEqual({ _tag: "Value", value: expected })
  })

  it.each([
    ["[1, 'a'].sort()", "the values cannot be put in order"],
    ["math.greatest('a')", "the values cannot be put in order"],
    ["[1].slice(0, 2)", "slice(0, 2) is outside a list of 1"],
    ["[1][3]", "index 3 out of bounds"],
    ["1 / 0", "divide by zero"],
  ])("%s fails with %s", (text, message) => {
    expect(value(text)).toMatchObject({ _tag: "Failed", message: expect.stringContaining(message) })
  })
})

describe("a converted entity", () => {
  const entity = { name: "api", createdAt: "2025-06-01T10:00:00Z", config: { createdAt: "x", skip: undefined } }

  it("has createdAt as a timestamp where the context says so, and as text elsewhere", () => {
    const text = `type(resource.createdAt) == google.protobuf.Timestamp`
    expect(evaluate(expression(text), { resource: toInput(entity, "timestamp") })).toEqual({ _tag: "Match" })
    expect(evaluate(expression("type(resource.createdAt) == string"), { resource: toInput(entity) })).toEqual({
      _tag: "Match",
    })
    expect(contexts.policySelector.instants).toBe("timestamp")
    expect(contexts.versionSelector.instants).toBe("text")
  })

  it("can be asked portably with timestamp()", () => {
    const portable = expression(`timestamp(resource.createdAt) > timestamp("2025-01-01T00:00:00Z")`)
    for (const instants of ["timestamp", "text"] as const) {
      expect(evaluate(portable, { resource: toInput(entity, instants) })).toEqual({ _tag: "Match" })
    }
  })

  it("keeps the createdAt of inner objects as it is, and leaves out what is undefined", () => {
    const resource = toInput(entity, "timestamp")
    expect(value("resource.config", resource)).toEqual({ _tag: "Value", value: { createdAt: "x" } })
  })

  it("shows own fields only", () => {
    expect(value("resource.constructor")).toEqual({ _tag: "MissingKey", key: "constructor" })
    const polluted = toInput(JSON.parse(`{"__proto__": {"a": 1}}`))
    expect(value("resource.__proto__.a", polluted)).toEqual({ _tag: "Value", value: 1 })
  })

  it("fails only the expression that reads what was nested too deeply", () => {
    const resource = toInput({ name: "api", deep: JSON.parse(`${"[".repeat(50_000)}${"]".repeat(50_000)}`) })
    expect(evaluate(expression(`resource.name == "api"`), { resource })).toEqual({ _tag: "Match" })
    const whole = value("resource.deep", resource)
    expect(whole).toMatchObject({ _tag: "Failed", message: expect.stringContaining("nests deeper than 64 levels") })
  })
})

describe("remembering", () => {
  it("compiles the same text for the same context once", () => {
    const first = compile("resourceSelector", `resource.kind == "once"`)
    expect(compile("resourceSelector", `resource.kind == "once"`)).toBe(first)
    expect(compile("jobAgentSelector", `resource.kind == "once"`)).not.toBe(first)
  })

  it("forgets what was used longest ago", () => {
    const lru = new Lru<string, string>(2)
    const made: Array<string> = []
    const ask = (key: string) =>
      lru.getOrMake(key, () => {
        made.push(key)
        return key
      })
    for (const key of ["a", "b", "a", "c", "a", "b"]) ask(key)
    expect(made).toEqual(["a", "b", "c", "b"])
    expect(lru.size).toBe(2)
  })
})
