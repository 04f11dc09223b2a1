/**
 * What of a provider's answer is kept with a measurement: enough to see why it was judged as it was, in a bounded size,
 * in JSON that Postgres takes (no NUL, no half surrogates, no bottomless nesting), and without cookies.
 */
import type { Json, JsonObject } from "@sluice/domain/json"
import type { HttpResult } from "./http-probe.ts"

/** Of `data` as JSON text. It travels in a message, stands in the journal and in a row: three times per probe. */
export const dataBytesMax = 64 * 1024

/** Characters of a body kept when the whole answer does not fit: UTF-8 takes up to three bytes each, escapes up to six. */
const bodyCharactersKept = 8 * 1024
const headersBytesMax = 8 * 1024
/** Levels of nesting kept of a JSON body; what is stored is also parsed and printed by recursive code. */
const depthMax = 32
const messageCharactersMax = 1_000

const notKept = new Set(["Set-Cookie", "Set-Cookie2"])

export const dataOf = (result: HttpResult): JsonObject => {
  const headers = Object.fromEntries(Object.entries(result.headers).filter(([name]) => !notKept.has(name)))
  const small = { ok: result.ok, statusCode: result.statusCode, duration: result.duration }
  const keptHeaders = bytesOf(headers) > headersBytesMax ? {} : { headers: cleaned(headers, 0) as JsonObject }
  const json = cleaned(result.json, 0)
  const whole: JsonObject = {
    ...small,
    ...keptHeaders,
    ...(json === undefined ? {} : { json }),
    body: storable(result.body),
  }
  if (bytesOf(whole) <= dataBytesMax) return whole
  return { ...small, ...keptHeaders, body: storable(result.body.slice(0, bodyCharactersKept)), truncated: true }
}

/** Text that Postgres stores as JSON: NUL and lone surrogates become the replacement character. */
export const storable = (text: string): string => text.toWellFormed().replaceAll("\u0000", "\uFFFD")

export const boundedMessage = (text: string): string =>
  storable(text.length > messageCharactersMax ? `${text.slice(0, messageCharactersMax)}…` : text)

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))

/** `undefined` when the value nests too deeply. */
const cleaned = (value: Json, depth: number): Json | undefined => {
  if (typeof value === "string") return storable(value)
  if (typeof value !== "object" || value === null) return value
  if (depth >= depthMax) return undefined
  if (Array.isArray(value)) {
    const elements = value.map(element => cleaned(element, depth + 1))
    return elements.includes(undefined) ? undefined : (elements as ReadonlyArray<Json>)
  }
  const entries: Array<[string, Json]> = []
  for (const [key, field] of Object.entries(value)) {
    const kept = cleaned(field, depth + 1)
    if (kept === undefined) return undefined
    entries.push([storable(key), kept])
  }
  return Object.fromEntries(entries)
}
