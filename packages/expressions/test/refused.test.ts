import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { compile, textLengthMax } from "../src/compile.ts"
import { type ContextName, contextNames } from "../src/environment.ts"
import { nestingMax } from "../src/syntax.ts"

const folder = join(import.meta.dirname, "refused")
const files = readdirSync(folder).filter(name => name.endsWith(".txt"))

function read(name: string) {
  const [head = "", ...rest] = readFileSync(join(folder, name), "utf8").split("---\n")
  const field = (key: string) => new RegExp(`^${key}: (.*)$`, "m").exec(head)?.[1]
  const context = contextNames.find(known => known === field("context")) as ContextName
  return { context, message: field("message"), at: field("at"), text: rest.join("---\n").replace(/\n$/, "") }
}

describe("an expression that must be refused", () => {
  it.each(files)("gets the message its file names: %s", name => {
    const { at, context, message, text } = read(name)
    expect(context).toBeDefined()
    const result = compile(context, text)
    const position = result.ok || result.position === undefined ? undefined : result.position
    expect({ ok: result.ok, message: result.ok ? undefined : result.message }).toEqual({ ok: false, message })
    expect(position && `${position.line}:${position.column}`).toBe(at)
  })

  it("may be as long as the bound and not one character longer", () => {
    const longest = `resource.kind == "${"a".repeat(textLengthMax - 19)}"`
    expect(longest).toHaveLength(textLengthMax)
    expect(compile("resourceSelector", longest).ok).toBe(true)
    expect(compile("resourceSelector", `${longest} `)).toEqual({
      ok: false,
      message: `the expression is longer than ${textLengthMax} characters`,
    })
  })

  it("is refused, and throws nothing, when it nests too deeply for the parser or for us", () => {
    const brackets = compile("resourceSelector", `${"(".repeat(3_000)}true${")".repeat(3_000)}`)
    expect(brackets).toEqual({ ok: false, message: "the expression nests too deeply" })
    const sum = compile("resourceSelector", `1${"+ 1".repeat(nestingMax + 2)} == 3`)
    expect(sum).toMatchObject({ ok: false, message: `the expression nests deeper than ${nestingMax} levels` })
  })
})
