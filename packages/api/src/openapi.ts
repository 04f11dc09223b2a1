/** The OpenAPI 3.1 document, made from the same schemas that validate requests. */
import { JsonSchema, Schema } from "effect"
import { ErrorBody } from "./error.ts"
import type { Operation } from "./operation.ts"

export interface OpenApiDocument {
  readonly openapi: "3.1.0"
  readonly info: { readonly title: string; readonly version: string }
  readonly servers: ReadonlyArray<{ readonly url: string }>
  readonly security: ReadonlyArray<Record<string, ReadonlyArray<string>>>
  readonly paths: Record<string, Record<string, unknown>>
  readonly components: { readonly schemas: Record<string, unknown>; readonly securitySchemes: Record<string, unknown> }
}

export const openApi = (operations: ReadonlyArray<Operation>, version: string): OpenApiDocument => {
  const components: Record<string, unknown> = {}
  const schemaOf = (schema: Schema.Top): unknown => {
    const { schema: root, definitions } = Schema.toJsonSchemaDocument(schema)
    const document = JsonSchema.toMultiDocumentOpenApi3_1({
      dialect: "draft-2020-12",
      schemas: [root],
      definitions,
    })
    Object.assign(components, document.definitions)
    return document.schemas[0]
  }
  components.Error = schemaOf(ErrorBody)
  const paths: Record<string, Record<string, unknown>> = {}
  for (const operation of operations) {
    for (const path of [operation.path, ...operation.aliases]) {
      paths[path] ??= {}
      const entry = describe(operation, schemaOf)
      paths[path][operation.method.toLowerCase()] = path === operation.path ? entry : aliasOf(entry)
    }
  }
  return {
    openapi: "3.1.0",
    info: { title: "Sluice", version },
    servers: [{ url: "/api" }],
    security: [{ apiKey: [] }],
    paths,
    components: {
      schemas: components,
      securitySchemes: { apiKey: { type: "apiKey", in: "header", name: "X-API-Key" } },
    },
  }
}

const json = (schema: unknown) => ({ "application/json": { schema } })

const describe = (operation: Operation, schemaOf: (schema: Schema.Top) => unknown) => ({
  operationId: operation.id,
  summary: operation.summary,
  tags: [operation.tag],
  parameters: [...pathParameters(operation.path), ...queryParameters(operation, schemaOf)],
  ...(operation.body === undefined ? {} : { requestBody: { required: true, content: json(schemaOf(operation.body)) } }),
  responses: {
    [operation.status]: {
      description: operation.summary,
      ...(operation.success === undefined ? {} : { content: json(schemaOf(operation.success)) }),
    },
    ...Object.fromEntries(
      [400, 401, ...operation.errors].map(status => [
        status,
        { description: "Refused", content: json({ $ref: "#/components/schemas/Error" }) },
      ]),
    ),
  },
})

/** Operation ids are unique in a document; the other spelling of a path gets its own. */
const aliasOf = (entry: ReturnType<typeof describe>) => ({ ...entry, operationId: `${entry.operationId}Alias` })

const pathParameters = (path: string) =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }))

const queryParameters = (operation: Operation, schemaOf: (schema: Schema.Top) => unknown) => {
  if (operation.query === undefined) return []
  // The decoded side: `limit` is a number to people, whatever a query string is made of.
  const { properties = {} } = schemaOf(Schema.toType(operation.query)) as { properties?: Record<string, unknown> }
  return Object.entries(properties).map(([name, schema]) => ({ name, in: "query", required: false, schema }))
}
