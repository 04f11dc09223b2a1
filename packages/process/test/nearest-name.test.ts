import { assert, describe, it } from "@effect/vitest"
import { editDistance, nearestName } from "../src/nearest-name.ts"

describe("the nearest name", () => {
  it.each([
    ["", "abc", 3],
    ["kitten", "sitting", 3],
    ["flaw", "lawn", 2],
    ["same", "same", 0],
  ] as const)("counts the edits from %j to %j as %i", (a, b, edits) => {
    assert.strictEqual(editDistance(a, b), edits)
    assert.strictEqual(editDistance(b, a), edits)
  })

  it("is the closest one, the first of several equally close, and none when none is known", () => {
    assert.strictEqual(nearestName("PROT", ["HOST", "PORT", "PART"]), "PORT")
    assert.strictEqual(nearestName("x", ["a", "b"]), "a")
    assert.isUndefined(nearestName("x", []))
  })
})
