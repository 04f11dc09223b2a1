// Runs a compiled expression and says what came out in the three words selectors need: it matches, it does not, or it
// failed. A missing key anywhere on the evaluated path is "no match" and says which key, because `!=` on an absent key is
// the trap people fall into. What a failure means (denied, not applied, failed measurement) is the caller's to decide.
import { type CelResult, type CelValue, isCelError, isCelList, isCelMap, isCelType, isCelUint } from "@bufbuild/cel"
import { toJson } from "@bufbuild/protobuf"
import type { Expression, Variables } from "./compile.ts"
import type { ContextName } from "./environment.ts"

export type EvalResult =
  | { readonly _tag: "Match" }
  | { readonly _tag: "NoMatch"; readonly reason: "false" }
  | { readonly _tag: "NoMatch"; readonly reason: "missingKey"; readonly key: string }
  | { readonly _tag: "Failed"; readonly message: string }

/** A result as JSON: ints become numbers, timestamps and durations their JSON text, bytes base64, a type its name. */
export type PlainValue =
  | string
  | number
  | boolean
  | null
  | ReadonlyArray<PlainValue>
  | { readonly [key: string]: PlainValue }

export type ValueResult =
  | { readonly _tag: "Value"; readonly value: PlainValue }
  | { readonly _tag: "MissingKey"; readonly key: string }
  | { readonly _tag: "Failed"; readonly message: string }

/** Values a result may hold: shared lists unfold when they become JSON, and nobody reads a result larger than this. */
const resultValuesMax = 10_000

/**
 * Does the expression hold? A text that reads as a boolean counts as one; any other value that is no boolean fails.
 * Never throws, and ends within the step budget (`meter.ts`).
 */
export function evaluate<C extends ContextName>(expression: Expression<C>, variables: Variables<C>): EvalResult {
  if (expression.constant !== undefined) return verdict(expression.constant)
  const outcome = runMetered(expression, variables)
  if (outcome._tag === "MissingKey") return { _tag: "NoMatch", reason: "missingKey", key: outcome.key }
  if (outcome._tag === "Failed") return outcome
  const { value } = outcome
  if (typeof value === "boolean") return verdict(value)
  if (typeof value === "string") {
    const converted = booleanTexts.get(value)
    if (converted !== undefined) return verdict(converted)
  }
  return { _tag: "Failed", message: `the expression gives ${wordFor(value)}, not true or false` }
}

/** The expression's value, of any type, as JSON. Never throws. */
export function evaluateValue<C extends ContextName>(expression: Expression<C>, variables: Variables<C>): ValueResult {
  const outcome = runMetered(expression, variables)
  if (outcome._tag !== "Ran") return outcome
  try {
    const value = plain(outcome.value, { left: resultValuesMax })
    return value === undefined
      ? { _tag: "Failed", message: `the result holds more than ${resultValuesMax} values` }
      : { _tag: "Value", value }
  } catch (error) {
    // The part of an input that was too deep to convert throws where it is read, here as in an evaluation.
    return { _tag: "Failed", message: error instanceof Error ? error.message : String(error) }
  }
}

/** Texts that count as booleans: those the reference engine's conversion accepts. */
const booleanTexts: ReadonlyMap<string, boolean> = new Map([
  ...["1", "t", "T", "true", "TRUE", "True"].map(text => [text, true] as const),
  ...["0", "f", "F", "false", "FALSE", "False"].map(text => [text, false] as const),
])

type Outcome =
  | { readonly _tag: "Ran"; readonly value: CelValue }
  | { readonly _tag: "MissingKey"; readonly key: string }
  | { readonly _tag: "Failed"; readonly message: string }

/** How the library words a read of a key that is not there; it has no code for it. Wrong types never reach this text. */
const missingKey = /^field not found: (.*)$/s

function runMetered<C extends ContextName>(expression: Expression<C>, variables: Variables<C>): Outcome {
  expression.meter.reset()
  const result: CelResult = expression.run(variables)
  if (!isCelError(result)) return { _tag: "Ran", value: result }
  const key = missingKey.exec(result.message)?.[1]
  return key === undefined ? { _tag: "Failed", message: readable(result.message) } : { _tag: "MissingKey", key }
}

/** The library does not know the length of the list at this point and prints -1 for it. */
function readable(message: string): string {
  return message.replace(" [0, -1)", "")
}

function verdict(holds: boolean): EvalResult {
  return holds ? { _tag: "Match" } : { _tag: "NoMatch", reason: "false" }
}

function wordFor(value: CelValue): string {
  if (value === null) return "null"
  if (typeof value === "string") return "a text"
  if (typeof value === "number" || typeof value === "bigint" || isCelUint(value)) return "a number"
  if (isCelList(value)) return "a list"
  if (isCelMap(value)) return "a map"
  return "another value"
}

/** Undefined when the value needs more room than there is. */
function plain(value: CelValue, room: { left: number }): PlainValue | undefined {
  room.left -= 1
  if (room.left < 0) return undefined
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return value
  if (typeof value === "bigint") return Number(value)
  if (isCelUint(value)) return Number(value.value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64")
  if (isCelList(value)) {
    const elements: Array<PlainValue> = []
    for (const element of value) {
      const converted = plain(element, room)
      if (converted === undefined) return undefined
      elements.push(converted)
    }
    return elements
  }
  if (isCelMap(value)) {
    const entries: Array<[string, PlainValue]> = []
    for (const [key, field] of value) {
      const converted = plain(field, room)
      if (converted === undefined) return undefined
      entries.push([isCelUint(key) ? key.value.toString() : String(key), converted])
    }
    return Object.fromEntries(entries)
  }
  if (isCelType(value)) return value.name
  // Timestamps and durations: no other message can be built here, and both have a text as their JSON form.
  return String(toJson(value.desc, value.message))
}
