/**
 * The one error body of the API. It satisfies every known reader at once: some look for `error`, some for `message` and
 * `code`, and Go clients fail to decode an answer whose `details` is not an object.
 */
import { Schema } from "effect"

export const ErrorBody = Schema.Struct({
  error: Schema.String,
  message: Schema.String,
  code: Schema.String,
  details: Schema.Record(Schema.String, Schema.Unknown),
})
export type ErrorBody = typeof ErrorBody.Type

/** Codes that clients may rely on, with the status each goes out with. */
export const errorStatus = {
  BAD_REQUEST: 400,
  INVALID_ID: 400,
  INVALID_CEL: 400,
  PROVIDER_NOT_EMPTY: 400,
  UNAUTHORIZED: 401,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  CONFLICT: 409,
  DUPLICATE_NAME: 409,
  DUPLICATE_SLUG: 409,
  DUPLICATE_TAG: 409,
  ID_IN_USE: 409,
  REFUSED: 409,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  INTERNAL_ERROR: 500,
  UNAVAILABLE: 503,
} as const
export type ErrorCode = keyof typeof errorStatus

/** A refusal that goes to the caller as it stands. */
export class ApiError extends Schema.TaggedError<ApiError>()("ApiError", {
  code: Schema.Literals(Object.keys(errorStatus) as [ErrorCode, ...ErrorCode[]]),
  message: Schema.String,
  details: Schema.Record(Schema.String, Schema.Unknown),
}) {}

export const apiError = (code: ErrorCode, message: string, details: Record<string, unknown> = {}): ApiError =>
  new ApiError({ code, message, details })

export const notFound = (what: string): ApiError => apiError("NOT_FOUND", `${what} not found`)

export const errorBody = (error: ApiError): ErrorBody => ({
  error: error.message,
  message: error.message,
  code: error.code,
  details: error.details,
})
