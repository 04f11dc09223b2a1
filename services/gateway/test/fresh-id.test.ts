/** Ids made at doors. */
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { brokerId, freshIds } from "../src/fresh-id.ts"

const uuid7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

describe("an id for a version from NATS", () => {
  it("sorts by broker time, then by place in the stream, across every width of sequence", async () => {
    const moments = [
      [1_000, 7],
      [2_000, 1],
      [2_000, 2],
      [2_000, 2 ** 26 - 1],
      [2_000, 2 ** 26],
      [2_000, 2 ** 32 - 1],
      [2_000, 2 ** 32],
      [2_000, 2 ** 43],
      [2_001, 1],
    ] as const
    const ids = await Promise.all(moments.map(([at, sequence]) => Effect.runPromise(brokerId(at, sequence))))
    expect([...ids].sort()).toEqual(ids)
    for (const id of ids) expect(id).toMatch(uuid7)
  })

  it("differs when a stream that was made anew hands out a sequence again", async () => {
    const [one, two] = await Promise.all([1, 2].map(() => Effect.runPromise(brokerId(1_000, 7))))
    expect(one).not.toBe(two)
  })
})

describe("fresh ids", () => {
  it("are as many as asked for, all different", async () => {
    const ids = await Effect.runPromise(freshIds(1_000))
    expect(new Set(ids).size).toBe(1_000)
    for (const id of ids) expect(id).toMatch(uuid7)
  })
})
