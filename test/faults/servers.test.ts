/** The broker and the database die under load and come back, the broker also with nothing of what it had. */
import { type FaultLane, openFaultLane } from "@sluice/testkit/fault-lane"
import { faultyNats, faultyPostgres } from "@sluice/testkit/fault-servers"
import { describe, expect, it } from "vitest"

const downMilliseconds = 2_000
const down = () => new Promise(resolve => setTimeout(resolve, downMilliseconds)) // the fault's own length

const endsWell = async (lane: FaultLane) => {
  await lane.recovers()
  const progress = await lane.settles()
  expect(progress.current).toBe(lane.load.targets)
  await lane.verdict()
}

describe("an installation under load", () => {
  it("goes on when NATS was killed and comes back with its streams, and again when it comes back with none", async () => {
    const nats = await faultyNats()
    const lane = await openFaultLane({ natsUrl: nats.url })
    try {
      await nats.kill()
      await down()
      await nats.start()
      await lane.recovers()

      await nats.kill()
      await nats.empty()
      await down()
      await nats.start()
      await endsWell(lane)
    } finally {
      await lane.close()
      await nats.close()
    }
  })

  it("goes on when Postgres was killed and comes back", async () => {
    const postgres = await faultyPostgres()
    const lane = await openFaultLane({ database: postgres.database })
    try {
      await postgres.kill()
      await down()
      await postgres.start()
      await endsWell(lane)
    } finally {
      await lane.close()
      await postgres.close()
    }
  })
})
