/** The all-in-one process is killed with `kill -9` twenty times under load: ten at named points, ten at random moments. */
import { crashPoints } from "@sluice/actor/crash-point"
import { type FaultLane, openFaultLane, recoverySecondsMax } from "@sluice/testkit/fault-lane"
import { seeded } from "@sluice/testkit/fault-random"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

const seed = 20_261
const random = seeded(seed)

/** How often a point is passed before the process dies there: often enough to be under load, seldom enough to come soon. */
const passes: Readonly<Record<(typeof crashPoints)[number], readonly [number, number]>> = {
  "partitions-taken": [1, 1],
  "batch-decided": [20, 120],
  "batch-written": [20, 120],
  "batch-committed": [20, 120],
  "outbox-published": [5, 40],
  "work-stored": [5, 40],
  "door-committed": [2, 20],
  "work-taken": [20, 120],
  "work-done": [20, 120],
  "result-committed": [20, 120],
}
const randomKillMilliseconds = [100, 1_500] as const

let lane: FaultLane
beforeAll(async () => {
  lane = await openFaultLane()
})
afterAll(async () => {
  await lane?.close()
})

describe(`an installation under load whose process is killed again and again (seed ${seed})`, () => {
  const recoveries: Array<number> = []

  it.each(crashPoints)("goes on after a death at %s, and after one at a random moment", async point => {
    const { process } = lane
    if (point === crashPoints[0]) await process.kill()
    const nth = random.between(...passes[point])
    const tSpawn = Date.now()
    process.spawn({ CRASH_AT: `${point}:${nth}` })
    expect(await process.ended(), `${point} for the ${nth}th time\n${process.output()}`).toBe("SIGKILL")

    const begun = Date.now()
    const tDied = Date.now()
    const since = await lane.now()
    await process.start()
    const tReady = Date.now()
    await lane.recovers(since)
    console.log(point, "died after", tDied - tSpawn, "ready", tReady - tDied, "recovered", Date.now() - tReady, JSON.stringify(await lane.load.progress()), JSON.stringify(await lane.here.query("select (select count(*) from outbox)::int outbox, (select count(*) from activity_outbox)::int act, (select count(*) from journal)::int journal, (select count(*) from job)::int jobs")))
    recoveries.push(Date.now() - begun)
    const moment = random.between(...randomKillMilliseconds)
    await new Promise(resolve => setTimeout(resolve, moment)) // the fault's own moment, not a wait for anything
    await process.kill()
  })

  it("recovered each time within ten seconds, its own start included", () => {
    expect(recoveries).toHaveLength(crashPoints.length)
    expect(Math.max(...recoveries)).toBeLessThanOrEqual(recoverySecondsMax * 1_000)
  })

  it("settles every target on the newest version, with every promise kept", async () => {
    await lane.process.start()
    await lane.recovers()
    const progress = await lane.settles().catch(async e => {
      console.log(
        await lane.here.query(
          "select j.status, j.reason, j.message, j.attempt, j.try, j.created_at, j.started_at, j.completed_at, j.id from target_status s join job j on j.job_set_id = s.job_set_id or j.target_key=s.key where s.phase='waiting' order by s.key, j.created_at desc limit 12",
        ),
      )
      console.log(await lane.here.query("select * from dead_letter limit 5"))
      console.log(lane.process.output())
      throw e
    })
    console.log(recoveries)
    expect(progress).toMatchObject({ targets: lane.load.targets, current: lane.load.targets })
    const report = await lane.verdict()
    expect(report.seen.jobSets).toBeGreaterThan(lane.load.targets)
  })
})
