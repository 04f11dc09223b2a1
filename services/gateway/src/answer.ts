/** From a handler's outcome to the response: the one error body, and what a failed statement means to a caller. */
import type { StorageError } from "@sluice/actor/ports"
import { ApiError, apiError, errorBody, errorStatus } from "@sluice/api/error"
import { HttpServerResponse } from "effect/http"
import { Raw, Reply } from "./route.ts"

export const answer = (status: number, outcome: unknown): HttpServerResponse.HttpServerResponse => {
  if (outcome instanceof Raw) return outcome.response
  if (outcome instanceof Reply) return HttpServerResponse.jsonUnsafe(outcome.body, { status: outcome.status })
  // A JSON content type with an empty body is a decode error to Go clients.
  if (status === 204) return HttpServerResponse.empty({ status })
  return HttpServerResponse.jsonUnsafe(outcome, { status })
}

export const refusal = (error: ApiError | StorageError): HttpServerResponse.HttpServerResponse => {
  const told = error instanceof ApiError ? error : ofStorage(error)
  return HttpServerResponse.jsonUnsafe(errorBody(told), {
    status: errorStatus[told.code],
    headers: headersOf(told),
  })
}

const headersOf = ({ code, details }: ApiError): Readonly<Record<string, string>> => {
  if (code === "UNAVAILABLE") return { "retry-after": "1" }
  return code === "METHOD_NOT_ALLOWED" && Array.isArray(details.allowed) ? { allow: details.allowed.join(", ") } : {}
}

/** What a unique index that refuses means in the contract's words. */
const duplicates: Readonly<Record<string, ApiError>> = {
  workspace_slug: apiError("DUPLICATE_SLUG", "a workspace with this slug exists"),
  deployment_name: apiError("DUPLICATE_NAME", "a deployment with this name exists"),
  environment_name: apiError("DUPLICATE_NAME", "an environment with this name exists"),
  resource_provider_name: apiError("DUPLICATE_NAME", "a resource provider with this name exists"),
  job_agent_name: apiError("DUPLICATE_NAME", "a job agent with this name exists"),
  deployment_version_tag: apiError("DUPLICATE_TAG", "the deployment has a version with this tag"),
}

const ofStorage = (error: StorageError): ApiError => {
  const duplicate = error.constraint === undefined ? undefined : duplicates[error.constraint]
  if (duplicate !== undefined) return duplicate
  return error.fault === "message"
    ? apiError("BAD_REQUEST", `this cannot be stored: ${error.message}`)
    : apiError("UNAVAILABLE", "the database cannot be reached; try again")
}
