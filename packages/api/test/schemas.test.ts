/** The contract's values: nulls, the error body, the generated document. */
import { Schema } from "effect"
import { describe, expect, it } from "vitest"
import { apiError, errorBody } from "../src/error.ts"
import { nullAsAbsent } from "../src/null-as-absent.ts"
import { openApi } from "../src/openapi.ts"
import { operations } from "../src/operations.ts"

describe("a null in a request", () => {
  const schema = Schema.Struct({
    required: Schema.String,
    given: Schema.optionalKey(Schema.String),
    free: Schema.optionalKey(Schema.Record(Schema.String, Schema.Json)),
    list: Schema.optionalKey(Schema.Array(Schema.Struct({ inner: Schema.optionalKey(Schema.Int) }))),
  })

  it("means absent where the schema has an optional key, at any depth", () => {
    const sent = { required: "r", given: null, list: [{ inner: null }, { inner: 1 }] }
    expect(nullAsAbsent(schema, sent)).toEqual({ required: "r", list: [{}, { inner: 1 }] })
  })

  it("stays where the key is required, unknown, or part of the client's own data", () => {
    const sent = { required: null, unknown: null, free: { deep: { a: null } } }
    expect(nullAsAbsent(schema, sent)).toEqual(sent)
  })
})

describe("the error body", () => {
  it("has a text for those who read `error` and an object for those who decode `details`", () => {
    expect(errorBody(apiError("NOT_FOUND", "gone"))).toEqual({
      error: "gone",
      message: "gone",
      code: "NOT_FOUND",
      details: {},
    })
  })
})

describe("the OpenAPI document", () => {
  const document = openApi(operations, "1.2.3")

  it("describes every operation under each of its paths, with unique ids", () => {
    const described = Object.values(document.paths).flatMap(path => Object.values(path)) as Array<{
      operationId: string
    }>
    const paths = operations.flatMap(each => [each.path, ...each.aliases])
    expect(described).toHaveLength(paths.length)
    expect(new Set(described.map(each => each.operationId)).size).toBe(described.length)
  })

  it("shows query parameters as the values they stand for and rule kinds with their limits", () => {
    const list = document.paths["/v1/workspaces/{workspaceId}/systems"]?.get as {
      parameters: Array<{ name: string; schema: object }>
    }
    expect(list.parameters.find(each => each.name === "limit")?.schema).toMatchObject({ type: "integer" })
    const policy = JSON.stringify(document.paths["/v1/workspaces/{workspaceId}/policies/{policyId}"]?.put)
    expect(policy).toContain('"linear-normalized","verified"')
  })

  it("refers to nothing it does not hold", () => {
    const names = Object.keys(document.components.schemas)
    for (const [, name] of JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      expect(names).toContain(name)
    }
  })
})
