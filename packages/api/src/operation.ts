/**
 * What an HTTP operation is: a value. Method, path, the schemas that validate a request and describe its answer. The
 * gateway attaches a handler to each; OpenAPI and clients are made from the same values. No server code here.
 */
import type { Schema } from "effect"

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE"

type ParamNames<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParamNames<Rest>
  : never
/** `/a/{x}/b/{y}` gives `{ x: string, y: string }`; values are percent-decoded exactly once. */
export type PathParams<Path extends string> = { readonly [Name in ParamNames<Path>]: string }

export type NoQuery = { readonly [name: string]: never }

export interface Operation<Path extends string = string, Query = any, Body = any, Success = any> {
  readonly id: string
  readonly summary: string
  readonly tag: string
  readonly method: Method
  /** Under `/api`. */
  readonly path: Path
  /** Other spellings clients use for the same thing, with the same parameters. */
  readonly aliases: ReadonlyArray<string>
  readonly query: Schema.Codec<Query, any> | undefined
  readonly body: Schema.Codec<Body, any> | undefined
  readonly status: number
  /** `undefined`: no body (204), or not JSON (an event stream). */
  readonly success: Schema.Codec<Success, any> | undefined
  /** Statuses beyond 400, 401 and 500, which any operation may answer. */
  readonly errors: ReadonlyArray<number>
}

export type ParamsOf<O> = O extends Operation<infer Path, any, any, any> ? PathParams<Path> : never
export type QueryOf<O> = O extends Operation<any, infer Query, any, any> ? Query : never
export type BodyOf<O> = O extends Operation<any, any, infer Body, any> ? Body : never
export type SuccessOf<O> = O extends Operation<any, any, any, infer Success> ? Success : never

export const operation = <const Path extends string, Query = NoQuery, Body = undefined, Success = undefined>(o: {
  readonly id: string
  readonly summary: string
  readonly tag: string
  readonly method: Method
  readonly path: Path
  readonly aliases?: ReadonlyArray<string>
  readonly query?: Schema.Codec<Query, any>
  readonly body?: Schema.Codec<Body, any>
  readonly status?: number
  readonly success?: Schema.Codec<Success, any>
  readonly errors?: ReadonlyArray<number>
}): Operation<Path, Query, Body, Success> => ({
  id: o.id,
  summary: o.summary,
  tag: o.tag,
  method: o.method,
  path: o.path,
  aliases: o.aliases ?? [],
  query: o.query,
  body: o.body,
  status: o.status ?? 200,
  success: o.success,
  errors: o.errors ?? [],
})

/** Everything of one workspace. `{workspaceId}` takes the id or the slug. */
export const W = "/v1/workspaces/{workspaceId}"
