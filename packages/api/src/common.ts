/** Shapes that several nouns share: pages, cursors, acknowledgements, the body of a human act. */
import { JsonObject, Metadata } from "@sluice/domain/json"
import { Schema } from "effect"

export const optional = Schema.optionalKey
export const Text = Schema.String
export const DateTime = Schema.String.annotate({ format: "date-time" })
export const Config = JsonObject
export { Metadata }

/** Most rows one page holds: the contract's. */
export const pageLimitMax = 1000
export const pageLimitDefault = 50

const limit = Schema.FiniteFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 1, maximum: pageLimitMax }))
const offset = Schema.FiniteFromString.check(Schema.isInt(), Schema.isGreaterThanOrEqualTo(0))

export const pageQueryFields = { limit: optional(limit), offset: optional(offset) } as const
export const PageQuery = Schema.Struct(pageQueryFields)
export const CelPageQuery = Schema.Struct({ ...pageQueryFields, cel: optional(Text) })
export const CursorQuery = Schema.Struct({ limit: optional(limit), cursor: optional(Text) })

export interface Page<T> {
  readonly items: ReadonlyArray<T>
  readonly total: number
  readonly limit: number
  readonly offset: number
}
export const page = <T, I>(item: Schema.Codec<T, I>) =>
  Schema.Struct({ items: Schema.Array(item), total: Schema.Int, limit: Schema.Int, offset: Schema.Int })

export interface Range {
  readonly limit: number
  readonly offset: number
}
export const rangeOf = (query: { readonly limit?: number; readonly offset?: number }): Range => ({
  limit: query.limit ?? pageLimitDefault,
  offset: query.offset ?? 0,
})

/** The acknowledgement of most writes. Clients read `id` only. */
export const Accepted = Schema.Struct({ id: Text, message: Text })
export type Accepted = typeof Accepted.Type

/** Every human act says why. */
export const Reason = Schema.String.check(Schema.isPattern(/\S/, { message: "a reason is needed" }))
