import { describe, expect, it } from "vitest"
import { conformanceCases, passes } from "./conformance.ts"

describe("the official CEL conformance suite", () => {
  const cases = conformanceCases()

  it("holds the cases of its sections that need no protobuf messages", () => {
    expect(cases).toHaveLength(1279)
  })

  it("passes in full, except for what the library cannot do: fields in backticks, and a doubled key", () => {
    const failing = cases.filter(candidate => !passes(candidate)).map(({ path }) => path)
    expect(failing).toEqual([
      "fields/quoted_map_fields/field_access_slash",
      "fields/quoted_map_fields/field_access_dash",
      "fields/quoted_map_fields/field_access_dot",
      "fields/quoted_map_fields/has_field_slash",
      "fields/quoted_map_fields/has_field_dash",
      "fields/quoted_map_fields/has_field_dot",
      "fields/qualified_identifier_resolution/map_value_repeat_key_heterogeneous",
    ])
  })
})
