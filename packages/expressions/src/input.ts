// Entities as CEL sees them. Converting costs more than one evaluation does, so an entity is converted once and the result
// reused for every expression that looks at it. JSON objects become maps, arrays lists, and numbers stay doubles, so that
// `5 / 2` is 2.5; a bigint becomes a CEL int (an HTTP status code is one). Only own fields are seen; `undefined` is absent.
import { type CelInput, type CelList, type CelMap, celError, celList, celMap } from "@bufbuild/cel"
import { reflect } from "@bufbuild/protobuf/reflect"
import { TimestampSchema, timestampFromMs } from "@bufbuild/protobuf/wkt"
import type { Instants } from "./environment.ts"

export type Json = string | number | bigint | boolean | null | undefined | ReadonlyArray<Json> | JsonObject
export interface JsonObject {
  readonly [key: string]: Json
}

declare const inputBrand: unique symbol
/** A converted entity. Opaque: make one with `toInput`, pass it to `evaluate` as often as wanted. */
export interface Input {
  readonly [inputBrand]: true
}

/** Levels of nesting kept. Deeper values fail the evaluation that reads them: a probe's answer is not ours to trust. */
const depthMax = 64

/**
 * Converts an entity. `instants` is the context's (`contexts[name].instants`): with "timestamp" the entity's own
 * `createdAt` (RFC 3339 text) becomes a CEL timestamp, with "text" it stays text. Never fails.
 */
export function toInput(entity: JsonObject, instants: Instants = "text"): Input {
  const fields = new Map<string, CelInput>()
  for (const [key, value] of Object.entries(entity)) {
    if (value === undefined) continue
    const instant = instants === "timestamp" && key === "createdAt" ? instantOf(value) : undefined
    fields.set(key, instant ?? convert(value, 1))
  }
  return asInput(mapOf(fields))
}

function asInput(map: CelMap): Input {
  return map as unknown as Input
}

/** What a variable in scope holds when the caller has nothing for it: reading any field of it is a missing key. */
export const emptyInput: Input = asInput(celMap(new Map()))

function instantOf(value: Json): CelInput | undefined {
  if (typeof value !== "string") return undefined
  const milliseconds = Date.parse(value)
  return Number.isNaN(milliseconds) ? undefined : reflect(TimestampSchema, timestampFromMs(milliseconds))
}

function convert(value: Exclude<Json, undefined>, depth: number): CelInput {
  if (typeof value !== "object" || value === null) return value
  // An error stored as a value fails whichever evaluation reads it, and no other.
  if (depth >= depthMax) return celError(`the value nests deeper than ${depthMax} levels`) as unknown as CelInput
  if (isList(value)) return listOf(value.map(element => (element === undefined ? null : convert(element, depth + 1))))
  const fields = new Map<string, CelInput>()
  for (const [key, field] of Object.entries(value)) {
    if (field !== undefined) fields.set(key, convert(field, depth + 1))
  }
  return mapOf(fields)
}

function isList(value: ReadonlyArray<Json> | JsonObject): value is ReadonlyArray<Json> {
  return Array.isArray(value)
}

function listOf(elements: ReadonlyArray<CelInput>): CelList {
  return celList(elements)
}

/** The library's map says that a key holding null is absent; JSON, and the reference engine, say it is there. */
function mapOf(fields: ReadonlyMap<string, CelInput>): CelMap {
  const map = celMap(fields)
  const hasNull = [...fields.values()].includes(null)
  return hasNull ? Object.assign(map, { has: (key: unknown) => typeof key === "string" && fields.has(key) }) : map
}
