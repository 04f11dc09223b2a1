// From text to something that can be evaluated, or to the reason why it cannot. This is what refuses a bad expression when
// it is saved: syntax, unknown names and functions, regular expressions that are none. It does not check types. Results,
// refusals included, are remembered per context and text, because the same few expressions are asked for all day.
import { type CelResult, parse, plan } from "@bufbuild/cel"
import { engines } from "./engine.ts"
import { type ContextName, contexts, type VariableOf } from "./environment.ts"
import { emptyInput, type Input } from "./input.ts"
import { Lru } from "./lru.ts"
import type { Meter } from "./meter.ts"
import { check, guard } from "./syntax.ts"

/** Longest text accepted: parsing this much takes some 50 ms, and people's longest selectors are a tenth of it. */
export const textLengthMax = 8_192

/** Compiled expressions kept; each holds a tree of some ten kilobytes. */
const compiledMax = 2_000

/** Where in the text a refusal is about; both count from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** A compiled expression. Opaque to callers: hand it to `evaluate`. */
export interface Expression<C extends ContextName = ContextName> {
  readonly context: C
  readonly text: string
  /** Set for the texts `true` and `false`, which are never evaluated. */
  readonly constant?: boolean
  readonly run: (variables: Variables<C>) => CelResult
  readonly meter: Meter
}

/** What an evaluation may be given. A variable left out is an empty map: mentioning it is a missing key, not an error. */
export type Variables<C extends ContextName> = { readonly [V in VariableOf<C>]?: Input }

export type CompileResult<C extends ContextName = ContextName> =
  | { readonly ok: true; readonly expression: Expression<C> }
  | { readonly ok: false; readonly message: string; readonly position?: Position }

const compiled = new Lru<string, CompileResult>(compiledMax)

/** Compiles `text` for a context. Never throws. */
export function compile<C extends ContextName>(context: C, text: string): CompileResult<C> {
  // Refused before it is remembered: a refusal this cheap is not worth keeping a long text for.
  if (text.length > textLengthMax) {
    return refuse(`the expression is longer than ${textLengthMax} characters`)
  }
  return compiled.getOrMake(`${context}:${text}`, () => compileNow(context, text)) as CompileResult<C>
}

function compileNow<C extends ContextName>(context: C, text: string): CompileResult<C> {
  const trimmed = text.trim()
  if (trimmed === "") return refuse("the expression is empty")
  const { functions, variables } = contexts[context]
  const { env, meter } = engines[functions]
  if (trimmed === "true" || trimmed === "false") {
    const constant = trimmed === "true"
    return { ok: true, expression: { context, text, constant, run: () => constant, meter } }
  }

  try {
    const parsed = parse(text)
    if (parsed.expr === undefined) return refuse("the expression is empty")
    const refusal = check(parsed.expr, { variables, env })
    if (refusal !== undefined) {
      const offset = parsed.sourceInfo?.positions[refusal.id.toString()]
      return refuse(refusal.message, offset === undefined ? undefined : positionOf(text, offset))
    }
    guard(parsed.expr, variables)
    const evaluatePlan = plan(env, parsed.expr)
    const run = (given: Variables<C>) => evaluatePlan(bindingsOf(variables, given))
    return { ok: true, expression: { context, text, run, meter } }
  } catch (error) {
    return refuseThrown(error)
  }
}

/** Every variable in scope, and nothing else: no prototype for a name like `constructor` to be found on. */
function bindingsOf(names: ReadonlyArray<string>, given: Readonly<Record<string, Input | undefined>>) {
  const bindings = Object.create(null)
  for (const name of names) bindings[name] = given[name] ?? emptyInput
  return bindings
}

function refuse(message: string, position?: Position): { ok: false; message: string; position?: Position } {
  return position === undefined ? { ok: false, message } : { ok: false, message, position }
}

function refuseThrown(error: unknown) {
  // The parser is recursive; brackets nested by the thousand reach the end of the stack.
  if (error instanceof RangeError) return refuse("the expression nests too deeply")
  if (!(error instanceof Error)) return refuse(String(error))
  const { location, rawMessage } = error as { location?: { start?: Position }; rawMessage?: string }
  const start = location?.start
  const message = rawMessage ?? error.message
  return refuse(message, start === undefined ? undefined : { line: start.line, column: start.column })
}

function positionOf(text: string, offset: number): Position {
  const before = text.slice(0, offset)
  return { line: before.split("\n").length, column: offset - before.lastIndexOf("\n") }
}
