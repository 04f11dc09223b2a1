import { expect, layer } from "@effect/vitest"
import { Storage } from "@sluice/actor/ports"
import { sourceKinds } from "@sluice/protocol/envelope"
import { testStore } from "@sluice/testkit/shared"
import { Effect } from "effect"
import { ensureInstallation } from "../src/installation.ts"

layer(testStore, { excludeTestServices: true, timeout: "60 seconds" })("an installation", it => {
  it.effect("is made once by four processes that start together, with the first one's partition count", () =>
    Effect.gen(function* () {
      const made = yield* Effect.forEach([3, 4, 5, 6], count => ensureInstallation(count), {
        concurrency: "unbounded",
      })
      const [first] = made
      expect(made).toEqual(Array.from({ length: 4 }, () => first))
      expect(first?.incarnation).toBe(1)
      expect([3, 4, 5, 6]).toContain(first?.partitions)
      expect(yield* ensureInstallation(first?.partitions === 3 ? 6 : 3)).toEqual(first)
    }),
  )

  it.effect("has one partition row and one free lease for every kind and number", () =>
    Effect.gen(function* () {
      const storage = yield* Storage
      const { partitions } = yield* ensureInstallation()
      const expected = [...sourceKinds]
        .sort()
        .flatMap(kind => Array.from({ length: partitions }, (_, partition) => ({ kind, partition })))
      expect(yield* storage.query("SELECT kind, partition FROM partition ORDER BY kind, partition")).toEqual(expected)
      const free =
        "SELECT kind, partition FROM lease WHERE owner IS NULL AND lease_until < now() ORDER BY kind, partition"
      expect(yield* storage.query(free)).toEqual(expected)
    }),
  )
})
