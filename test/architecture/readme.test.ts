/** What the README says, held against what is there. */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { settingsTable } from "@sluice/process/settings"
import { describe, expect, it } from "vitest"
import { root } from "./imports.ts"

const readme = readFileSync(join(root, "README.md"), "utf8")
const manifest: { scripts: Record<string, string> } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

describe("the README", () => {
  it("has the table of settings as the settings themselves print it", () => {
    const [, table] = /<!-- settings -->\n([\s\S]*?)<!-- \/settings -->/.exec(readme) ?? []
    expect(table).toBe(settingsTable())
  })

  it("names only npm scripts that exist, and every script's file exists", () => {
    const named = [...readme.matchAll(/npm (?:run )?([a-z][a-z:-]*)/g)].map(match => match[1] ?? "")
    for (const script of named.filter(name => !["install", "ci"].includes(name)))
      expect(Object.keys(manifest.scripts)).toContain(script)
    for (const command of Object.values(manifest.scripts)) {
      const file = command.split(" ")[2] ?? ""
      if (file.endsWith(".ts")) expect(existsSync(join(root, file)), file).toBe(true)
    }
  })

  it("links and lists only paths that exist", () => {
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)].map(match => match[1] ?? "")
    const paths = [...readme.matchAll(/^\| (`[^|]+`) \|/gm)]
      .flatMap(match => (match[1] ?? "").split(", "))
      .map(path => path.replaceAll("`", ""))
      .filter(path => /^(packages|services|nats|test|examples)\//.test(path))
      .map(path => path.replace(/\/\*$/, ""))
    for (const path of [...links, ...paths]) expect(existsSync(join(root, path)), path).toBe(true)
  })
})
