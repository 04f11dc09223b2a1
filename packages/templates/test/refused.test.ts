import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { outputLengthMax } from "../src/evaluate.ts"
import { nestingMax } from "../src/parser.ts"
import { compile, render, textLengthMax } from "../src/template.ts"
import { context } from "./context.ts"

const folder = join(import.meta.dirname, "refused")
const files = readdirSync(folder).filter(name => name.endsWith(".txt"))

function read(name: string) {
  const text = readFileSync(join(folder, name), "utf8")
  const cut = text.indexOf("---\n")
  const field = (key: string) => new RegExp(`^${key}: (.*)$`, "m").exec(text.slice(0, cut))?.[1]
  const template = text.slice(cut + 4).replace(/\n$/, "")
  return { when: field("when"), message: field("message"), at: field("at"), key: field("key"), template }
}

describe("a template that must be refused", () => {
  it.each(files)("gets the message its file names: %s", name => {
    const { at, key, message, template, when } = read(name)
    const compiled = compile(template)
    const result = compiled.ok ? render(compiled.template, context, { missing: "error" }) : compiled
    if (result.ok) throw new Error(`it was rendered: ${result.text}`)
    const seen = {
      message: result.message,
      at: `${result.line}:${result.column}`,
      key: "key" in result ? result.key : undefined,
    }
    expect(seen).toEqual({ message, at, key })
    expect(compiled.ok ? "render" : "compile").toBe(when)
  })

  it("may be as long as the bound and not one character longer", () => {
    expect(compile("x".repeat(textLengthMax)).ok).toBe(true)
    expect(compile("x".repeat(textLengthMax + 1))).toMatchObject({ ok: false, line: 1, column: 1 })
  })

  it("is refused, and throws nothing, when its brackets nest too deeply", () => {
    const nested = (depth: number) => compile(`{{ ${"(".repeat(depth)}1${")".repeat(depth)} }}`)
    expect(nested(nestingMax).ok).toBe(true)
    const message = `brackets nest deeper than ${nestingMax} levels`
    expect(nested(nestingMax + 1)).toMatchObject({ ok: false, message, column: 4 + nestingMax })
    expect(nested(100_000)).toMatchObject({ ok: false, message })
  })

  it("stops a rendering that writes too much, at the action that wrote it", () => {
    const compiled = compile("{{ .big }}\n{{ .big }}")
    if (!compiled.ok) throw new Error(compiled.message)
    const big = { big: "x".repeat(outputLengthMax / 2) }
    expect(render(compiled.template, big, { missing: "error" })).toEqual({
      ok: false,
      message: `rendering writes more than ${outputLengthMax} characters`,
      line: 2,
      column: 1,
    })
  })
})
