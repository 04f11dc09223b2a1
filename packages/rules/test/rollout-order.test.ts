import { fnv1a64, hashToBigInt } from "@sluice/domain/hash"
import type { VersionId } from "@sluice/domain/ids"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { offsetSeconds, rolloutOrder } from "../src/rollout-order.ts"
import { idOf, subject } from "./given.ts"

const names = ["a1", "a2", "a3", "a4", "a5"]
const keys = names.map(resourceSuffix => subject({ resourceSuffix }).key)
const nameOf = (key: string) => names[keys.indexOf(key as (typeof keys)[number])]
const other = "11111111-2222-4333-8444-555555555555" as VersionId

describe("the order of a rollout", () => {
  it("is by FNV-1a 64 of target key and version id (V-GR-1, V-GR-2)", () => {
    expect(hashToBigInt(fnv1a64(""))).toBe(14695981039346656037n)
    expect(hashToBigInt(fnv1a64(keys[2] + idOf<VersionId>("f1")))).toBe(2254100282082795075n)
    expect(rolloutOrder(keys, idOf<VersionId>("f1")).map(nameOf)).toEqual(["a3", "a5", "a1", "a2", "a4"])
    expect(rolloutOrder(keys, idOf<VersionId>("f2")).map(nameOf)).toEqual(["a3", "a5", "a1", "a2", "a4"])
    expect(rolloutOrder(keys, other).map(nameOf)).toEqual(["a2", "a3", "a5", "a4", "a1"])
  })

  it("does not depend on the order in which the targets were read", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(keys, { minLength: keys.length }), shuffled => {
        expect(rolloutOrder(shuffled, other)).toEqual(rolloutOrder(keys, other))
      }),
    )
  })
})

describe("the place in time", () => {
  const offsets = (type: "linear" | "linear-normalized", total: number, interval: number) =>
    Array.from({ length: total }, (_, position) => offsetSeconds(type, { position, total }, interval))

  it("is a fixed gap when linear (V-GR-3)", () => {
    expect(offsets("linear", 5, 60)).toEqual([0, 60, 120, 180, 240])
  })

  it.each([
    [5, 600, [0, 120, 240, 360, 480]],
    [3, 100, [0, 33, 66]],
    [7, 60, [0, 8, 17, 25, 34, 42, 51]],
    [4, 10, [0, 2, 5, 7]],
    [3, 60, [0, 20, 40]],
    [3, 120, [0, 40, 80]],
    [1, 600, [0]],
  ])("of %i targets in %i s normalized is spread over the whole (V-GR-4)", (total, interval, expected) => {
    expect(offsets("linear-normalized", total, interval)).toEqual(expected)
  })

  it.each([
    [11, 15, 300, 219],
    [29, 50, 100, 57],
    [13, 24, 3600, 1949],
    [11, 60, 600, 109],
  ])("divides, multiplies, then truncates: place %i of %i in %i s is %i (V-GR-4)", (position, total, interval, due) => {
    expect(offsetSeconds("linear-normalized", { position, total }, interval)).toBe(due)
  })
})
