// The template language of job configuration and verification, for callers: compile once (refusals carry line and column),
// render as often as wanted. It is the part of Go's text/template that is needed so far: literal text, trim markers,
// comments, fields, literals, brackets, pipes, `index` and `default`. Pure, synchronous, bounded, and nothing throws.
import { Budget, type MissingMode, renderNodes } from "./evaluate.ts"
import { SyntaxFault, tokenize } from "./lexer.ts"
import { parseTokens } from "./parser.ts"
import type { Node } from "./syntax.ts"
import { type Json, type JsonObject, RenderFault } from "./value.ts"

/** Longest template accepted. Manifests people template are a tenth of it. */
export const textLengthMax = 256 * 1024

/** How deep `renderDeep` follows a value, which is recursive. */
const valueDepthMax = 64

/** A compiled template. Opaque to callers: hand it to `render`. */
export interface Template {
  readonly text: string
  readonly nodes: ReadonlyArray<Node>
}

/** Where in the template's text a message is about; both count from 1, columns in UTF-16 units. */
interface Place {
  readonly line: number
  readonly column: number
}

export type CompileResult =
  | { readonly ok: true; readonly template: Template }
  | ({ readonly ok: false; readonly message: string } & Place)

export interface RenderOptions {
  /** What a missing key becomes where it is printed without a `default`. */
  readonly missing: MissingMode
}

/** `key` is set when the reason is a key that is not there (or null), e.g. `.variables.region`. */
export type RenderFailure = { readonly ok: false; readonly message: string; readonly key?: string } & Place

export type RenderResult = { readonly ok: true; readonly text: string } | RenderFailure

/** `path` leads to the string inside the value that failed, e.g. `env.0.value`; empty for the value itself. */
export type RenderDeepResult = { readonly ok: true; readonly value: Json } | (RenderFailure & { readonly path: string })

export function compile(text: string): CompileResult {
  if (text.length > textLengthMax) {
    return { ok: false, message: `the template is longer than ${textLengthMax} characters`, line: 1, column: 1 }
  }
  try {
    return { ok: true, template: { text, nodes: parseTokens(tokenize(text)) } }
  } catch (fault) {
    if (!(fault instanceof SyntaxFault)) throw fault
    return { ok: false, message: fault.message, ...placeOf(text, fault.at) }
  }
}

export function render(template: Template, context: JsonObject, options: RenderOptions): RenderResult {
  return renderWithin(template, context, options, new Budget())
}

/**
 * Renders every string inside a JSON value as a template of its own; keys of objects and all else stay as they are. One
 * budget covers the whole value. Stops at the first failure, a template that does not compile included.
 */
export function renderDeep(value: Json, context: JsonObject, options: RenderOptions): RenderDeepResult {
  const budget = new Budget()
  let failure: (RenderFailure & { path: string }) | undefined
  const fail = (path: ReadonlyArray<string>, failed: RenderFailure): null => {
    failure ??= { ...failed, path: path.join(".") }
    return null
  }
  const walk = (part: Json, path: ReadonlyArray<string>): Json => {
    if (failure !== undefined) return null
    if (typeof part === "string") {
      const compiled = compile(part)
      const rendered = compiled.ok ? renderWithin(compiled.template, context, options, budget) : compiled
      return rendered.ok ? rendered.text : fail(path, rendered)
    }
    if (typeof part !== "object" || part === null) return part
    if (path.length >= valueDepthMax) {
      return fail(path, {
        ok: false,
        message: `the value nests deeper than ${valueDepthMax} levels`,
        line: 1,
        column: 1,
      })
    }
    if (isList(part)) return part.map((element, position) => walk(element, [...path, String(position)]))
    const entries = Object.entries(part).filter((entry): entry is [string, Json] => entry[1] !== undefined)
    return Object.fromEntries(entries.map(([key, held]) => [key, walk(held, [...path, key])]))
  }
  const rendered = walk(value, [])
  return failure ?? { ok: true, value: rendered }
}

function isList(value: ReadonlyArray<Json> | JsonObject): value is ReadonlyArray<Json> {
  return Array.isArray(value)
}

function renderWithin(template: Template, context: JsonObject, options: RenderOptions, budget: Budget): RenderResult {
  try {
    return { ok: true, text: renderNodes(template.nodes, context, options.missing, budget) }
  } catch (fault) {
    if (!(fault instanceof RenderFault)) throw fault
    const failure = { ok: false, message: fault.message, ...placeOf(template.text, fault.at) } as const
    return fault.key === undefined ? failure : { ...failure, key: fault.key }
  }
}

function placeOf(text: string, offset: number): Place {
  const before = text.slice(0, offset)
  return { line: before.split("\n").length, column: offset - before.lastIndexOf("\n") }
}
