/** JSON values as they travel in configs, metadata and messages. */
import { Schema } from "effect"

export type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json }
export type JsonObject = { readonly [key: string]: Json }

export const JsonObject = Schema.Record(Schema.String, Schema.Json) as unknown as Schema.Codec<JsonObject>
export const Metadata = Schema.Record(Schema.String, Schema.String)
export type Metadata = { readonly [key: string]: string }

const isMap = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/**
 * Layers configs: maps merge key by key, anything else (arrays, scalars, null) is replaced by the later layer.
 * Used for job agent ← deployment ← version.
 */
export const mergeConfig = (...layers: ReadonlyArray<JsonObject>): JsonObject => {
  const merged: Record<string, Json> = {}
  for (const layer of layers) {
    for (const [key, value] of Object.entries(layer)) {
      const before = Object.hasOwn(merged, key) ? merged[key] : undefined
      const next = isMap(before) && isMap(value) ? mergeConfig(before, value) : value
      // defineProperty, since a key named "__proto__" must stay data.
      Object.defineProperty(merged, key, { value: next, enumerable: true, writable: true, configurable: true })
    }
  }
  return merged
}

/** JSON text with sorted keys: equal values give equal text, whatever order their keys were written in. */
export const canonicalJson = (value: Json): string => {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`
  if (isMap(value)) {
    const keys = Object.keys(value).sort()
    return `{${keys.map(key => `${JSON.stringify(key)}:${canonicalJson(value[key] as Json)}`).join(",")}}`
  }
  return JSON.stringify(value)
}
