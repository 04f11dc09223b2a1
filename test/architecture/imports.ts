/** Reads the repository's own source files and their imports, as text: what the rules of `rules.ts` are held against. */
import { readdirSync, readFileSync } from "node:fs"
import { join, relative } from "node:path"

export const root = join(import.meta.dirname, "../..")

export interface SourceFile {
  /** From the repository's root, with forward slashes. */
  readonly path: string
  readonly text: string
  readonly lines: number
  readonly imports: ReadonlyArray<string>
}

const ignored = new Set(["node_modules", "dist", ".git", ".cache", ".sluice", "fixtures", "refused"])
const sourceEnding = /\.(ts|tsx|mts|mjs|js|sh)$/

const walk = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    if (ignored.has(entry.name) || entry.name.startsWith(".sluice")) return []
    const path = join(folder, entry.name)
    return entry.isDirectory() ? walk(path) : sourceEnding.test(entry.name) ? [path] : []
  })

const importPattern =
  /(?:^|\n)\s*(?:import|export)\s[^"'`;]*?from\s*["']([^"']+)["']|import\s*\(\s*["']([^"']+)["']\s*\)|(?:^|\n)\s*import\s+["']([^"']+)["']/g

export const sourceFiles: ReadonlyArray<SourceFile> = walk(root).map(path => {
  const text = readFileSync(path, "utf8")
  return {
    path: relative(root, path),
    text,
    lines: text.split("\n").length - 1,
    imports: [...text.matchAll(importPattern)].map(match => match[1] ?? match[2] ?? match[3] ?? ""),
  }
})

/** `packages/actor/src/x.ts` → `actor`; `services/gateway/…` → `gateway`. */
export const ownerOf = (path: string): { readonly area: string; readonly name: string; readonly test: boolean } => {
  const [area = "", name = "", folder] = path.split("/")
  return { area, name, test: folder === "test" || path.endsWith(".test.ts") }
}
