/**
 * The HTTP application: one straight line per request, in the order that decides which error wins (contract 1.3): path,
 * method, credential present, request well formed, credential valid, workspace, handler.
 */
import type { Door } from "@sluice/actor/door"
import { Storage, type StorageError } from "@sluice/actor/ports"
import { type ApiError, apiError, notFound } from "@sluice/api/error"
import { openApi } from "@sluice/api/openapi"
import type { UserId } from "@sluice/domain/ids"
import { findWorkspace, type WorkspaceRow } from "@sluice/store/workspaces"
import { ByteSize, Cause, Effect } from "effect"
import { HttpIncomingMessage, HttpServerRequest, type HttpServerResponse } from "effect/http"
import { answer, refusal } from "./answer.ts"
import { authenticate } from "./authenticate.ts"
import { matcher } from "./match.ts"
import { isUuid, readBody, readParams, readQuery } from "./read-request.ts"
import type { Route } from "./route.ts"

/** The contract's: a provider may set ten thousand resources in one call. */
const bodySizeMax = ByteSize.megabytes(100)

type App = Effect.Effect<
  HttpServerResponse.HttpServerResponse,
  never,
  HttpServerRequest.HttpServerRequest | Storage | Door
>

export const makeApp = (routes: ReadonlyArray<Route>, version: string): App => {
  const match = matcher(routes)
  const open: Readonly<Record<string, unknown>> = {
    "/healthz": { status: "ok" },
    "/version": { api: version, workspaceEngine: version },
    "/openapi.json": openApi(
      routes.map(route => route.operation),
      version,
    ),
  }
  const handle = Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest) {
    const { path, search } = addressOf(request.url)
    if (path === undefined) return yield* notFound("path")
    const openAnswer = open[path.toLowerCase().replace(/\/$/, "")]
    // Load balancers ask with HEAD; the server leaves the body out.
    if (openAnswer !== undefined && /^(GET|HEAD)$/.test(request.method)) return answer(200, openAnswer)
    const matched = match(request.method, path)
    switch (matched._tag) {
      case "Unknown":
        return yield* notFound("path")
      case "Malformed":
        return yield* apiError("BAD_REQUEST", "the path is not percent-encoded as it should be")
      case "WrongMethod":
        return yield* apiError("METHOD_NOT_ALLOWED", `${request.method} is not allowed here`, {
          allowed: matched.allowed,
        })
      case "Found":
        return yield* perform(request, search, matched.route, matched.params)
    }
  })
  return HttpServerRequest.HttpServerRequest.pipe(
    Effect.flatMap(handle),
    Effect.catch(error => Effect.as(logUnavailable(error), refusal(error))),
    Effect.catchCause(cause =>
      Cause.hasInterruptsOnly(cause)
        ? Effect.failCause(cause as Cause.Cause<never>)
        : Effect.as(Effect.logError("a request failed", cause), refusal(unexpected)),
    ),
    Effect.provideService(HttpIncomingMessage.MaxBodySize, bodySizeMax),
  )
}

const unexpected = apiError("INTERNAL_ERROR", "something went wrong here; it is in the log")

/** A caller's mistake is the caller's to see; a database that is away is ours. */
const logUnavailable = (error: ApiError | StorageError): Effect.Effect<void> =>
  error._tag === "StorageError" && error.fault !== "message"
    ? Effect.logWarning("a request could not be answered", error.message)
    : Effect.void

/**
 * What follows `/api`, as it was sent: not decoded, since `%2F` must not become a separator. Cut by hand, because a URL
 * parser throws on addresses that a client may well send (`//`) and resolves dots that an identifier may hold.
 */
const addressOf = (url: string): { readonly path: string | undefined; readonly search: URLSearchParams } => {
  const [address = ""] = url.split("#", 1)
  const question = address.indexOf("?")
  const path = question === -1 ? address : address.slice(0, question)
  return {
    path: /^\/api\//i.test(path) ? path.slice("/api".length) : undefined,
    search: new URLSearchParams(question === -1 ? "" : address.slice(question + 1)),
  }
}

const perform = Effect.fnUntraced(function* (
  request: HttpServerRequest.HttpServerRequest,
  search: URLSearchParams,
  route: Route,
  given: Readonly<Record<string, string>>,
): Effect.fn.Return<HttpServerResponse.HttpServerResponse, ApiError | StorageError, Storage | Door> {
  const key = request.headers["x-api-key"]
  if (key === undefined || key === "") return yield* apiError("UNAUTHORIZED", "the header X-API-Key is missing")
  const query = yield* Effect.fromResult(readQuery(route.operation, search))
  const params = yield* Effect.fromResult(readParams(given))
  const body = yield* readBody(route.operation, request)
  const userId = yield* authenticate(key)
  const call = {
    params,
    query,
    body,
    userId,
    userAgent: request.headers["user-agent"] ?? "",
    header: (name: string) => request.headers[name.toLowerCase()],
  }
  const outcome =
    route.handler._tag === "User"
      ? yield* route.handler.handle(call)
      : yield* route.handler.handle({ ...call, workspace: yield* workspaceOf(userId, params.workspaceId ?? "") })
  return answer(route.operation.status, outcome)
})

/** Some sync commands put the slug where the id belongs. */
const workspaceOf = Effect.fnUntraced(function* (
  userId: UserId,
  ref: string,
): Effect.fn.Return<WorkspaceRow, ApiError | StorageError, Storage> {
  const storage = yield* Storage
  const row = yield* storage.transaction("read committed", tx =>
    findWorkspace(tx, userId, isUuid(ref) ? { id: ref.toLowerCase() } : { slug: ref }),
  )
  return row ?? (yield* notFound("workspace"))
})
