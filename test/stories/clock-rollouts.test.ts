/** Rollouts by the clock: each target at its own time after the version, in the order of its hash, whatever the others do. */
import { rolloutOrder } from "@sluice/rules/rollout-order"
import { type Installation, openInstallation } from "@sluice/testkit/installation"
import { given } from "@sluice/testkit/story"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

let here: Installation
beforeAll(async () => {
  here = await openInstallation()
})
afterAll(async () => {
  await here?.close()
})

/** Milliseconds from the version's creation to each target's start, in the order of the rollout. */
const startsOf = async (rolloutType: "linear" | "linear-normalized", timeScaleInterval: number) => {
  const scene = await given(here)
    .targets("a", "b", "c")
    .policy({ gradualRollout: { rolloutType, timeScaleInterval } })
    .when.versionArrives("1.0.0")
    .then.runs("a", "1.0.0")
    .and.runs("b", "1.0.0")
    .and.runs("c", "1.0.0")
  const version = await scene.version("1.0.0")
  const keys = [...scene.targets.values()].map(target => target.key)
  const ordered = rolloutOrder(keys, version.id)
  const names = new Map([...scene.targets].map(([name, target]) => [target.key, name]))
  const starts: Array<number> = []
  for (const key of ordered) {
    const history = await scene.history(names.get(key) ?? "")
    starts.push(Date.parse(history.versions[0].startedAt) - Date.parse(version.createdAt))
  }
  return starts
}

/** In this order, and none before it is due; how soon after is the machine's affair. */
const expectNotBefore = (starts: ReadonlyArray<number>, due: ReadonlyArray<number>): void => {
  expect(starts).toEqual(starts.toSorted((a, b) => a - b))
  for (const [i, start] of starts.entries()) expect(start).toBeGreaterThanOrEqual(due[i] ?? 0)
}

describe("a linear rollout", () => {
  it("starts the targets one interval after the other, the first at once", async () => {
    expectNotBefore(await startsOf("linear", 2), [0, 2_000, 4_000])
  })
})

describe("a linear-normalized rollout", () => {
  it("spreads the targets over the interval, at whole seconds", async () => {
    // Three targets in seven seconds: 0, trunc(7/3) = 2 and trunc(14/3) = 4 seconds.
    expectNotBefore(await startsOf("linear-normalized", 7), [0, 2_000, 4_000])
  })
})
