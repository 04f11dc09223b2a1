/**
 * Sluice over HTTP, as any user has it: an operation of `packages/api`, a key, an address. Calls are repeated while nobody
 * answers or the answer is a 5xx, since the services may be killed at any time; what is refused is an error at once.
 */
import type { Operation, PathParams } from "@sluice/api/operation"
import { Effect, Schedule, Schema } from "effect"
import { DemonstrationError } from "./failure.ts"

export interface Client {
  readonly workspaceId: string
  readonly call: <Path extends string, Query, Body, Success>(
    operation: Operation<Path, Query, Body, Success>,
    request: CallRequest<Path, Query, Body>,
  ) => Effect.Effect<Success, DemonstrationError>
  /** The answer of a GET that does not end, by chunks of text, for as long as the connection lasts. */
  readonly read: (
    path: string,
    headers: Readonly<Record<string, string>>,
    onText: (text: string) => Effect.Effect<void>,
  ) => Effect.Effect<void, DemonstrationError>
}

export interface CallRequest<Path extends string, Query, Body> {
  /** Beside the workspace, which the client knows. */
  readonly params?: Omit<PathParams<Path>, "workspaceId">
  readonly query?: Query
  readonly body?: Body
}

/** Milliseconds. */
const repeatAfter = 200
const answerWithin = 10_000

export const makeClient = (options: {
  readonly baseUrl: string
  readonly key: string
  readonly workspaceId: string
}): Client => {
  const { workspaceId } = options
  const headers = { "x-api-key": options.key, "content-type": "application/json" }
  return {
    workspaceId,
    call: (operation, request) =>
      exchange(`${options.baseUrl}/api${addressOf(operation, workspaceId, request)}`, {
        method: operation.method,
        headers,
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      }).pipe(
        Effect.retry({ schedule: Schedule.spaced(repeatAfter), while: error => error.reason === "unreachable" }),
        Effect.flatMap(body => decode(operation, body)),
      ),
    read: (path, more, onText) =>
      Effect.gen(function* () {
        const url = `${options.baseUrl}/api${path}`
        const response = yield* attempt(signal => fetch(url, { headers: { ...headers, ...more }, signal }))
        if (!response.ok || response.body === null) return yield* refused(response.status, undefined, `GET ${path}`)
        const reader = response.body.getReader()
        const decoder = new TextDecoder()
        yield* Effect.gen(function* () {
          for (;;) {
            const { done, value } = yield* attempt(() => reader.read())
            if (done) return
            yield* onText(decoder.decode(value, { stream: true }))
          }
        }).pipe(Effect.ensuring(Effect.promise(() => reader.cancel().catch(() => undefined)))) // It may be broken already.
      }),
  }
}

const addressOf = (
  operation: Operation,
  workspaceId: string,
  request: { readonly params?: object; readonly query?: unknown },
): string => {
  const params: Record<string, unknown> = { workspaceId, ...request.params }
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(params[name])))
  const query = new URLSearchParams(
    Object.entries((request.query ?? {}) as object).map(([name, value]): [string, string] => [name, String(value)]),
  ).toString()
  return query === "" ? path : `${path}?${query}`
}

const exchange = (url: string, init: RequestInit): Effect.Effect<unknown, DemonstrationError> =>
  attempt(async signal => {
    const response = await fetch(url, { ...init, signal })
    return { response, text: await response.text() }
  }).pipe(
    Effect.timeoutOrElse({
      duration: answerWithin,
      orElse: () =>
        Effect.fail(new DemonstrationError({ reason: "unreachable", message: `${url} did not answer in time` })),
    }),
    Effect.flatMap(({ response, text }) =>
      response.ok
        ? Effect.succeed(parsed(text))
        : refused(response.status, parsed(text), `${init.method} ${new URL(url).pathname}`),
    ),
  )

const refused = (status: number, body: unknown, what: string): Effect.Effect<never, DemonstrationError> =>
  Effect.fail(
    new DemonstrationError({
      reason: status >= 500 ? "unreachable" : "refused",
      status,
      body,
      message: `${what} was answered ${status}: ${JSON.stringify(body ?? null)}`,
    }),
  )

const attempt = <A>(call: (signal: AbortSignal) => Promise<A>): Effect.Effect<A, DemonstrationError> =>
  Effect.tryPromise({
    try: call,
    catch: error => new DemonstrationError({ reason: "unreachable", message: sentence(error) }),
  })

const sentence = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    // No JSON, for example from something else on that port: shown as it is.
    return text
  }
}

const decode = <Path extends string, Query, Body, Success>(
  operation: Operation<Path, Query, Body, Success>,
  body: unknown,
): Effect.Effect<Success, DemonstrationError> =>
  operation.success === undefined
    ? Effect.succeed(undefined as Success)
    : Effect.mapError(
        Schema.decodeUnknownEffect(operation.success)(body),
        error =>
          new DemonstrationError({
            reason: "unexpected",
            body,
            message: `the answer to ${operation.id} is not what it should be: ${error.message}`,
          }),
      )
