/**
 * One HTTP request of a probe, and its answer in the shape conditions see (semantics 5.1). An answer of any status is a
 * result; no answer within the time limit is an `HttpProbeError`. Neither carries anything of the request but the host.
 */
import { Clock, Effect, Schema } from "effect"
import type { HttpRequest } from "./render-metric.ts"

/** More of a body is not read: nobody's health answer is longer, and it is held in memory. */
export const bodyBytesMax = 1024 * 1024

export class HttpProbeError extends Schema.TaggedError<HttpProbeError>()("HttpProbeError", {
  reason: Schema.Literals(["badRequest", "noAnswer", "timeout"]),
  message: Schema.String,
}) {}

type JsonValue = null | boolean | number | string | ReadonlyArray<JsonValue> | { readonly [key: string]: JsonValue }

export interface HttpResult {
  /** Status 200 to 299. */
  readonly ok: boolean
  readonly statusCode: number
  readonly body: string
  /** The body as JSON; null when it is none. */
  readonly json: JsonValue
  /** By canonical name, e.g. `Content-Type`. */
  readonly headers: Readonly<Record<string, ReadonlyArray<string>>>
  /** Milliseconds from the request to the end of the body. */
  readonly duration: number
}

/** `timeLimit` in milliseconds, for the request and its whole answer. */
export const probeHttp = Effect.fn("probeHttp")(function* (request: HttpRequest, timeLimit: number) {
  const url = URL.parse(request.url)
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    return yield* new HttpProbeError({ reason: "badRequest", message: "url: not an http or https address" })
  }
  const startedAt = yield* Clock.currentTimeMillis
  const answer = yield* Effect.tryPromise({
    try: signal => exchange(url, request, signal),
    catch: error => failureOf(error, url),
  }).pipe(
    Effect.timeoutOrElse({
      duration: timeLimit,
      orElse: () =>
        Effect.fail(
          new HttpProbeError({ reason: "timeout", message: `no answer from ${url.host} within ${timeLimit} ms` }),
        ),
    }),
  )
  const duration = (yield* Clock.currentTimeMillis) - startedAt
  const result: HttpResult = { ...answer, duration }
  return result
})

const exchange = async (url: URL, request: HttpRequest, signal: AbortSignal) => {
  const response = await fetch(url, {
    method: request.method,
    // A connection of its own: one kept open that the other side just closed would look like a service that is down.
    headers: { ...request.headers, connection: "close" },
    ...(request.body === "" ? {} : { body: request.body }),
    signal,
  })
  const body = await readBody(response)
  return {
    ok: response.ok,
    statusCode: response.status,
    body,
    json: parseJson(body),
    headers: canonicalHeaders(response.headers),
  }
}

const readBody = async (response: Response): Promise<string> => {
  const chunks: Array<Uint8Array> = []
  let left = bodyBytesMax
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk.subarray(0, left))
    left -= Math.min(left, chunk.length)
    if (left === 0) break
  }
  return new TextDecoder().decode(Buffer.concat(chunks))
}

const parseJson = (body: string): JsonValue => {
  try {
    return JSON.parse(body)
  } catch {
    // Not JSON: that is an answer too, and conditions see null.
    return null
  }
}

const canonicalHeaders = (headers: Headers): Record<string, ReadonlyArray<string>> => {
  const lists: Record<string, ReadonlyArray<string>> = {}
  for (const [name, value] of headers) {
    lists[name.replaceAll(/(^|-)[a-z]/g, start => start.toUpperCase())] = [value]
  }
  const cookies = headers.getSetCookie()
  return cookies.length === 0 ? lists : { ...lists, "Set-Cookie": cookies }
}

/** The host is said, not the address: a query may hold a key. */
const failureOf = (error: unknown, url: URL): HttpProbeError => {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  const code = (cause as { readonly code?: unknown } | null)?.code
  if (typeof code === "string" && !code.startsWith("ERR_")) {
    return new HttpProbeError({ reason: "noAnswer", message: `no answer from ${url.host}: ${code}` })
  }
  // Thrown before anything was sent: a header value that is none, a body where the method has none.
  const sentence = cause instanceof Error ? cause.message : String(cause)
  return new HttpProbeError({ reason: "badRequest", message: `the request to ${url.host} failed: ${sentence}` })
}
