/**
 * Requests that spell "not given" as `null` mean the same as those that leave the key out. Follows a schema and removes
 * nulls where the schema has an optional key; data whose shape is the client's own (configs, metadata) stays untouched.
 */
import { type Schema, SchemaAST } from "effect"

export const nullAsAbsent = (schema: Schema.Top, value: unknown): unknown => clean(schema.ast, value)

const clean = (ast: SchemaAST.AST, value: unknown): unknown => {
  if (SchemaAST.isArrays(ast)) {
    const element = ast.rest[0]
    return Array.isArray(value) && element !== undefined ? value.map(item => clean(element, item)) : value
  }
  if (!SchemaAST.isObjects(ast) || typeof value !== "object" || value === null || Array.isArray(value)) return value
  const fields = new Map(ast.propertySignatures.map(field => [field.name, field.type]))
  const cleaned: Record<string, unknown> = {}
  for (const [key, member] of Object.entries(value)) {
    const type = fields.get(key)
    if (type !== undefined && member === null && SchemaAST.isOptional(type)) continue
    const next = type === undefined ? member : clean(type, member)
    // defineProperty, since a key named "__proto__" must stay data.
    Object.defineProperty(cleaned, key, { value: next, enumerable: true, writable: true, configurable: true })
  }
  return cleaned
}
