/** The all-in-one process is killed with `kill -9` twenty times under load: ten at named points, ten at random moments. */
import { crashPoints } from "@sluice/actor/crash-point"
import { type FaultLane, openFaultLane } from "@sluice/testkit/fault-lane"
import { seeded } from "@sluice/testkit/fault-random"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

const seed = 20_261
const random = seeded(seed)

/** How often a point is passed before the process dies there: often enough to be under load, seldom enough to come soon. */
const passes: Readonly<Record<(typeof crashPoints)[number], readonly [number, number]>> = {
  "partitions-taken": [1, 1],
  "batch-decided": [10, 60],
  "batch-written": [10, 60],
  "batch-committed": [10, 60],
  "outbox-published": [3, 15],
  "work-stored": [3, 15],
  "door-committed": [2, 10],
  "work-taken": [10, 60],
  "work-done": [10, 60],
  "result-committed": [10, 60],
}
const randomKillMilliseconds = [0, 1_000] as const

let lane: FaultLane
beforeAll(async () => {
  lane = await openFaultLane()
})
afterAll(async () => {
  await lane?.close()
})

describe(`an installation under load whose process is killed again and again (seed ${seed})`, () => {
  it.each(crashPoints)("recovers from a death at %s, and from one at a random moment", async point => {
    const { process } = lane
    if (process.isRunning()) await process.kill()
    const nth = random.between(...passes[point])
    process.spawn({ CRASH_AT: `${point}:${nth}` })
    expect(await process.ended(), `${point} for the ${nth}th time\n${process.output()}`).toBe("SIGKILL")

    const since = await lane.now()
    await process.start()
    await lane.recovers(since)
    const moment = random.between(...randomKillMilliseconds)
    await new Promise(resolve => setTimeout(resolve, moment)) // the fault's own moment, not a wait for anything
    await process.kill()
  })

  it("settles every target on the newest version in the end, with every promise kept", async () => {
    await lane.process.start()
    await lane.recovers()
    const progress = await lane.settles()
    expect(progress).toMatchObject({ targets: lane.load.targets, current: lane.load.targets })
    const report = await lane.verdict()
    expect(report.seen.jobSets).toBeGreaterThan(lane.load.targets)
  })
})
