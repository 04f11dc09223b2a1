import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { MissingMode } from "../src/evaluate.ts"
import { compile, render, renderDeep } from "../src/template.ts"
import { context } from "./context.ts"

function rendered(text: string, missing: MissingMode = "error"): string {
  const compiled = compile(text)
  if (!compiled.ok) throw new Error(`${text}: ${compiled.message}`)
  const result = render(compiled.template, context, { missing })
  if (!result.ok) throw new Error(`${text}: ${result.message}`)
  return result.text
}

describe("a rendered template", () => {
  it.each([
    [
      "fields in literal text",
      "https://{{ .resource.name }}.example.com/{{ .version.tag }}",
      "https://api.example.com/v1",
    ],
    ["a missing key with a default", `{{ .resource.metadata.region | default "us" }}`, "us"],
    ["a key of a missing map with a default", `{{ .resource.labels.team | default "none" }}`, "none"],
    ["a key of null with a default", `{{ .none.team | default "none" }}`, "none"],
    ["a key with a hyphen", `{{ index .resource.metadata "my-key" }}`, "mine"],
    ["several keys, through lists and maps", `{{ index .resource.config "ports" 1 "name" }}`, "https"],
    ["a key taken from the context", `{{ index .variables "replicas" }}`, "3"],
    ["a missing index with a default", `{{ index .resource.metadata "zone" | default "z1" }}`, "z1"],
    ["a missing container of an index with a default", `{{ index .nowhere "zone" | default "z1" }}`, "z1"],
    ["an element past the end with a default", `{{ index .list 9 | default "last" }}`, "last"],
    ["an index without keys", "{{ index .list }}", "[a b]"],
    ["brackets with a field behind them", `{{ (index .resource.config.ports 1).port }}`, "443"],
    ["brackets as an argument", `{{ default (index .list 1) .nowhere }}`, "b"],
    ["a field of a missing group with a default", `{{ (index .resource "x").y | default 1 }}`, "1"],
    ["a chain of defaults", `{{ .a | default .b | default "c" }}`, "c"],
    ["a fallback that is missing and not needed", "{{ .version.tag | default .nothing }}", "v1"],
    ["a lone fallback", `{{ default "us" }}`, "us"],
    ["a comment", "a{{/* not {{ here }} */}}b", "ab"],
    ["braces that open nothing", "} }} { {", "} }} { {"],
    ["an action over several lines", "{{ .nowhere\n  | default\n  7 }}", "7"],
    ["actions side by side", "{{.version.tag}}{{.version.tag}}", "v1v1"],
    ["nothing", "", ""],
  ])("has %s", (_, text, expected) => {
    expect(rendered(text)).toBe(expected)
  })

  it.each([
    [`{{ .resource.metadata.tier | default "gold" }}`, "gold"],
    ["{{ .variables.debug | default true }}", "true"],
    ["{{ 0 | default 5 }}", "5"],
    ["{{ .none | default 5 }}", "5"],
    ["{{ .variables.enabled | default false }}", "true"],
    ["{{ .variables.ratio | default 5 }}", "0.5"],
  ])("takes the default for empty values only: %s", (text, expected) => {
    expect(rendered(text)).toBe(expected)
  })

  it.each([
    ["a \n {{- 1 }} b", "a1 b"],
    ["a {{ 1 -}} \t\r\n b", "a 1b"],
    ["a {{- 1 -}} b", "a1b"],
    ["a {{- /* gone */ -}} b", "ab"],
    ["a {{-1}} b", "a -1 b"],
    ["{{ 1 -}} {{- 2 }}", "12"],
  ])("is trimmed where a marker says so: %j", (text, expected) => {
    expect(rendered(text)).toBe(expected)
  })

  it.each([
    [String.raw`{{ "a\n\t\"\\\x41\u00e9\U0001F600\101" }}`, 'a\n\t"\\Aé😀A'],
    ['{{ `a\\n"b` }}', 'a\\n"b'],
    [`{{ "}}" }}`, "}}"],
    ["{{ -1.5 }} {{ 0x1F }} {{ 1e3 }} {{ 1_000 }} {{ .5 }} {{ true }}", "-1.5 31 1000 1000 0.5 true"],
  ])("understands literals: %s", (text, expected) => {
    expect(rendered(text)).toBe(expected)
  })

  it.each([
    [1e20, "100000000000000000000"],
    [1e21, "1e+21"],
    [0.0001, "0.0001"],
    [0.00001, "1e-05"],
    [-1.25e-10, "-1.25e-10"],
    [true, "true"],
    [[1, "a", null, [true]], "[1 a <nil> [true]]"],
    [{ b: 1, a: { c: [] } }, "map[a:map[c:[]] b:1]"],
  ])("prints %j as Go does", (value, expected) => {
    const compiled = compile("{{ .value }}")
    expect(compiled.ok && render(compiled.template, { value }, { missing: "error" })).toEqual({
      ok: true,
      text: expected,
    })
  })

  it("leaves out what is missing where that is asked for, and still fails on a wrong type", () => {
    expect(rendered("[{{ .a.b }}{{ .none }}{{ index .list 9 }}]", "empty")).toBe("[]")
    expect(() => rendered("{{ .resource.name.first }}", "empty")).toThrow(`a string has no key "first"`)
  })

  it("is the text itself when that holds no opening braces", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), text => {
        fc.pre(!text.includes("{{"))
        expect(rendered(text)).toBe(text)
      }),
    )
  })

  it("is a result, never a thrown error, whatever is written", () => {
    const piece = fc.constantFrom(
      "{{",
      "}}",
      "{{- ",
      " -}}",
      ".a",
      ".",
      "(",
      ")",
      "|",
      '"',
      "`",
      "index",
      "default",
      "1",
      " ",
      "/*",
      "*/",
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), pieces => {
        const compiled = compile(pieces.join(""))
        const result = compiled.ok ? render(compiled.template, context, { missing: "error" }) : compiled
        expect(result.ok || (result.line >= 1 && result.column >= 1)).toBe(true)
      }),
    )
  })
})

describe("a JSON value rendered through and through", () => {
  it("has each of its strings rendered, and everything else as it was", () => {
    const value = {
      image: "app:{{ .version.tag }}",
      env: [{ name: "{{ .resource.name }}", n: 1, off: null }],
      "{{ key }}": true,
    }
    expect(renderDeep(value, context, { missing: "error" })).toEqual({
      ok: true,
      value: { image: "app:v1", env: [{ name: "api", n: 1, off: null }], "{{ key }}": true },
    })
  })

  it("names the string that failed", () => {
    const value = { env: [{ value: "x" }, { value: "a\n{{ .variables.missing }}" }], later: "{{ bad" }
    expect(renderDeep(value, context, { missing: "error" })).toEqual({
      ok: false,
      message: "missing key .variables.missing",
      key: ".variables.missing",
      path: "env.1.value",
      line: 2,
      column: 1,
    })
    expect(renderDeep("{{ bad", context, { missing: "error" })).toMatchObject({
      ok: false,
      path: "",
      line: 1,
      column: 1,
    })
  })

  it("shares one bound on its output", () => {
    const value = Array.from({ length: 5 }, () => "{{ .big }}")
    const result = renderDeep(value, { big: "x".repeat(256 * 1024) }, { missing: "error" })
    expect(result).toMatchObject({ ok: false, path: "4" })
  })

  it("keeps a key called __proto__ a key", () => {
    const result = renderDeep(JSON.parse(`{"__proto__": "{{ .version.tag }}"}`), context, { missing: "error" })
    expect(result.ok && JSON.stringify(result.value)).toBe(`{"__proto__":"v1"}`)
  })

  it("is refused when it nests without end", () => {
    const deep = JSON.parse(`${"[".repeat(10_000)}${"]".repeat(10_000)}`)
    expect(renderDeep(deep, context, { missing: "error" })).toMatchObject({
      ok: false,
      message: "the value nests deeper than 64 levels",
    })
  })
})
