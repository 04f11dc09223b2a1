// Values a template computes with: JSON, and "missing", which remembers the key that was not there so that a message can
// name it and `default` can replace it. Reading sees own fields only; nothing of JavaScript shows through. Values print as
// Go prints them, since templates are written against Go's engine.

export type Json = string | number | boolean | null | ReadonlyArray<Json> | JsonObject
export interface JsonObject {
  readonly [key: string]: Json | undefined
}

/** A key that is not there. `key` is how the template wrote its way to it, e.g. `.variables.region`. */
export class Missing {
  readonly key: string

  constructor(key: string) {
    this.key = key
  }
}

export type Value = Json | Missing

/** Stops one rendering. `template.ts` turns it into a result; it never leaves the package. */
export class RenderFault extends Error {
  readonly at: number
  readonly key: string | undefined

  constructor(at: number, message: string, key?: string) {
    super(message)
    this.at = at
    this.key = key
  }
}

/** Nesting a printed value may have: printing is recursive, and no sensible template prints a deep value. */
const printedDepthMax = 64

/** The value under one key, or a `Missing` called `key`. Throws an `Error` for what has no keys at all. */
export function read(container: Value, name: string | number, key: string): Value {
  if (container instanceof Missing) return container
  // A null in the middle of a path is an absent object: `default` must be able to replace what is below it.
  if (container === null) return new Missing(key)
  if (isList(container)) {
    if (typeof name !== "number" || !Number.isInteger(name))
      throw new Error(`a list has no key ${JSON.stringify(name)}`)
    return container[name] ?? new Missing(key)
  }
  if (typeof container !== "object") throw new Error(`a ${kindOf(container)} has no key ${JSON.stringify(name)}`)
  if (typeof name !== "string") throw new Error(`a map's keys are strings, and ${name} is not`)
  const held = Object.hasOwn(container, name) ? container[name] : undefined
  return held === undefined ? new Missing(key) : held
}

/** Empty as `default` means it: false, zero, and whatever has nothing in it. */
export function isEmpty(value: Value): boolean {
  if (value instanceof Missing || value === null || value === false || value === 0 || value === "") return true
  if (typeof value !== "object") return false
  return isList(value) ? value.length === 0 : Object.keys(value).length === 0
}

/** The text of a value as Go's `%v` writes it: `[1 2]`, `map[a:1 b:2]` with sorted keys, `1e+21`. */
export function print(value: Json, depth = 0): string {
  if (depth > printedDepthMax) throw new Error(`the value nests deeper than ${printedDepthMax} levels`)
  if (value === null) return "<nil>"
  if (typeof value === "string") return value
  if (typeof value === "number") return printNumber(value)
  if (typeof value === "boolean") return String(value)
  if (isList(value)) return `[${value.map(element => print(element, depth + 1)).join(" ")}]`
  const keys = Object.keys(value).sort()
  return `map[${keys.map(key => `${key}:${print(value[key] ?? null, depth + 1)}`).join(" ")}]`
}

/** Go changes to an exponent below 0.0001 and from 1e21 on, and writes at least two digits of it. */
function printNumber(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf"
  const small = value !== 0 && Math.abs(value) < 1e-4
  const text = small ? value.toExponential() : String(value)
  return text.replace(/e([+-])(\d)$/, "e$10$2")
}

export function kindOf(value: Value): string {
  if (value instanceof Missing || value === null) return "null"
  if (isList(value)) return "list"
  return typeof value === "object" ? "map" : typeof value === "boolean" ? "bool" : typeof value
}

function isList(value: Exclude<Value, null>): value is ReadonlyArray<Json> {
  return Array.isArray(value)
}
