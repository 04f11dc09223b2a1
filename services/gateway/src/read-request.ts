/** From the text of a request to typed parameters, query and body, or to the refusal that says what is wrong where. */
import { type ApiError, apiError } from "@sluice/api/error"
import { nullAsAbsent } from "@sluice/api/null-as-absent"
import type { Operation } from "@sluice/api/operation"
import { parseReleaseTargetKey } from "@sluice/domain/ids"
import { Effect, Result, type Schema, SchemaIssue, SchemaParser } from "effect"
import type { HttpServerRequest } from "effect/http"
import { textFault, unstorable } from "./storable.ts"

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
export const isUuid = (text: string): boolean => uuid.test(text)

/** Ids are UUIDs, answered and compared in lower case. The workspace may be named by its slug instead. */
export const readParams = (
  params: Readonly<Record<string, string>>,
): Result.Result<Readonly<Record<string, string>>, ApiError> => {
  const read: Record<string, string> = {}
  for (const [name, value] of Object.entries(params)) {
    if (name === "releaseTargetKey") {
      if (parseReleaseTargetKey(value) === undefined) {
        return Result.fail(apiError("INVALID_ID", "not a release target key: three UUIDs joined by dashes", { name }))
      }
      read[name] = value.toLowerCase()
    } else if (name.endsWith("Id") && name !== "workspaceId") {
      if (!isUuid(value)) return Result.fail(apiError("INVALID_ID", `${name} must be a UUID`, { name }))
      read[name] = value.toLowerCase()
    } else {
      const fault = textFault(value)
      if (fault !== undefined) return Result.fail(apiError("BAD_REQUEST", `${name} ${fault}`, { name }))
      read[name] = value
    }
  }
  return Result.succeed(read)
}

/** Unknown parameters are ignored. A repeated one counts once, the first. */
export const readQuery = (operation: Operation, search: URLSearchParams): Result.Result<unknown, ApiError> => {
  if (operation.query === undefined) return Result.succeed({})
  const given: Record<string, string> = {}
  for (const [name, value] of search) if (!Object.hasOwn(given, name)) given[name] = value
  const fault = unstorable(given, "query")
  if (fault !== undefined) return Result.fail(apiError("BAD_REQUEST", fault))
  return decode(operation.query, given, "query")
}

/** The body, when the operation has one: JSON, by declaration and in fact. */
export const readBody = Effect.fnUntraced(function* (
  operation: Operation,
  request: HttpServerRequest.HttpServerRequest,
): Effect.fn.Return<unknown, ApiError> {
  if (operation.body === undefined) return undefined
  const contentType = request.headers["content-type"] ?? ""
  if (!/\bjson\b/i.test(contentType)) {
    return yield* apiError("UNSUPPORTED_MEDIA_TYPE", "the body must be JSON, with a content type that says so")
  }
  const text = yield* Effect.mapError(request.text, () =>
    apiError("PAYLOAD_TOO_LARGE", "the body could not be read: it is too long, or ended early"),
  )
  const parsed = yield* Effect.try({
    try: (): unknown => JSON.parse(text),
    catch: () => apiError("BAD_REQUEST", "the body is not JSON"),
  })
  const fault = unstorable(parsed, "body")
  if (fault !== undefined) return yield* apiError("BAD_REQUEST", fault)
  const sent = nullAsAbsent(operation.body, parsed)
  yield* Effect.fromResult(decode(operation.body, sent, "body"))
  // Body schemas only check, so what was sent is what they describe, with keys beyond it: clients read back what they wrote.
  return sent
})

const formatIssue = SchemaIssue.makeFormatterStandardSchemaV1()

const decode = (schema: Schema.Codec<any, any>, value: unknown, where: string): Result.Result<unknown, ApiError> =>
  SchemaParser.decodeUnknownResult(schema, { errors: "all" })(value).pipe(
    Result.mapError(issue => {
      const issues = formatIssue(issue).issues.map(each => ({
        path: [where, ...(each.path ?? []).map(String)].join("."),
        message: each.message,
      }))
      const [first] = issues
      return apiError("BAD_REQUEST", first === undefined ? `bad ${where}` : `${first.path}: ${first.message}`, {
        issues,
      })
    }),
  )
