/** A handler attached to an operation of `packages/api`. The table of all routes is `routes.ts`. */
import type { Door } from "@sluice/actor/door"
import type { Storage, StorageError } from "@sluice/actor/ports"
import type { ApiError } from "@sluice/api/error"
import type { BodyOf, Operation, ParamsOf, QueryOf, SuccessOf } from "@sluice/api/operation"
import type { UserId } from "@sluice/domain/ids"
import type { WorkspaceRow } from "@sluice/store/workspaces"
import type { Effect } from "effect"
import type { HttpServerResponse } from "effect/http"

export interface Call<Params, Query, Body> {
  readonly params: Params
  readonly query: Query
  readonly body: Body
  readonly userId: UserId
  /** Of the client's program: two answers depend on it, since clients contradict each other. */
  readonly userAgent: string
  readonly header: (name: string) => string | undefined
}
export interface WorkspaceCall<Params, Query, Body> extends Call<Params, Query, Body> {
  /** The caller is a member of it. */
  readonly workspace: WorkspaceRow
}

/** An answer with another status than the operation's, or one that is not JSON. */
export class Reply {
  readonly status: number
  readonly body: unknown
  constructor(status: number, body: unknown) {
    this.status = status
    this.body = body
  }
}
export class Raw {
  readonly response: HttpServerResponse.HttpServerResponse
  constructor(response: HttpServerResponse.HttpServerResponse) {
    this.response = response
  }
}

export type Handled<Success> = Effect.Effect<Success | Reply | Raw, ApiError | StorageError, Storage | Door>

export type CallOf<O extends Operation> = Call<ParamsOf<O>, QueryOf<O>, BodyOf<O>>
export type WorkspaceCallOf<O extends Operation> = WorkspaceCall<ParamsOf<O>, QueryOf<O>, BodyOf<O>>

export interface Route {
  readonly operation: Operation
  readonly handler:
    | { readonly _tag: "User"; readonly handle: (call: Call<any, any, any>) => Handled<unknown> }
    | { readonly _tag: "Workspace"; readonly handle: (call: WorkspaceCall<any, any, any>) => Handled<unknown> }
}

/** An operation outside any workspace. */
export const ofUser = <O extends Operation>(
  operation: O,
  handle: (call: CallOf<O>) => Handled<SuccessOf<O>>,
): Route => ({ operation, handler: { _tag: "User", handle } })

/** An operation of one workspace: resolved from id or slug, and 404 unless the caller is a member. */
export const inWorkspace = <O extends Operation>(
  operation: O,
  handle: (call: WorkspaceCallOf<O>) => Handled<SuccessOf<O>>,
): Route => ({ operation, handler: { _tag: "Workspace", handle } })
