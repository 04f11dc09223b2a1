/** What a network and a broker may do to messages, under load: repeat, lose, swap; and a COMMIT whose answer is lost. */
import { openFaultLane } from "@sluice/testkit/fault-lane"
import { type Random, seeded } from "@sluice/testkit/fault-random"
import { faultyNats, faultyPostgres } from "@sluice/testkit/fault-servers"
import { natsHook, type OnFrame } from "@sluice/testkit/nats-frames"
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { repeatEverything } from "./repeat-everything.ts"

const seed = 4_711
const faultMilliseconds = 6_000 // three versions for each deployment
const during = () => new Promise(resolve => setTimeout(resolve, faultMilliseconds)) // the fault's own length

/** Of the services' own messages; the broker's protocol passes untouched. */
const lostOf = 0.03
const swappedOf = 0.05

describe(`an installation under load (seed ${seed})`, () => {
  it("takes every message a second time, at a later position of its stream, without doing anything twice", async () => {
    const lane = await openFaultLane()
    const repeater = await repeatEverything(lane.here.natsUrl, seeded(seed))
    try {
      await during()
      expect(repeater.repeated()).toBeGreaterThan(500)
      await lane.recovers()
      await lane.settles()
      const report = await lane.verdict()
      expect(report.seen.activeJobSetsPerTargetMax).toBe(1)
    } finally {
      await repeater.close()
      await lane.close()
    }
  })

  it("gets over messages that are lost or change places on their way to and from the broker", async () => {
    const nats = await faultyNats()
    const lane = await openFaultLane({ natsUrl: nats.proxied })
    const random = seeded(seed)
    const [toServer, toClient] = [misbehaving(random), misbehaving(random)]
    try {
      await Effect.runPromise(nats.proxy.hook(natsHook({ toServer: toServer.onFrame, toClient: toClient.onFrame })))
      await Effect.runPromise(nats.proxy.cut)
      await during()
      await Effect.runPromise(nats.proxy.hook(undefined))
      await Effect.runPromise(nats.proxy.cut)
      for (const side of [toServer, toClient]) {
        expect(side.lost()).toBeGreaterThan(5)
        expect(side.swapped()).toBeGreaterThan(5)
      }
      await lane.recovers()
      await lane.settles()
      await lane.verdict()
    } finally {
      await lane.close()
      await nats.close()
    }
  })

  it("repeats a transaction whose COMMIT was carried out and never answered, and counts it once", async () => {
    const postgres = await faultyPostgres()
    const lane = await openFaultLane({ database: postgres.database, databaseUrl: postgres.proxied })
    try {
      for (let i = 0; i < unansweredCommits; i++) {
        const sprung = await Effect.runPromise(
          postgres.proxy.dropNextResponseAfter(bytes => bytes.includes("COMMIT\0")),
        )
        await Effect.runPromise(sprung)
      }
      await lane.recovers()
      await lane.settles()
      await lane.verdict()
    } finally {
      await lane.close()
      await postgres.close()
    }
  })
})

const unansweredCommits = 20

/** Loses some of the services' messages and lets others be overtaken by the one behind them. */
const misbehaving = (random: Random) => {
  let held: Buffer | undefined
  let lost = 0
  let swapped = 0
  const onFrame: OnFrame = ({ subject, bytes }) => {
    if (!subject.startsWith("sluice.")) return [bytes]
    const draw = random.next()
    if (draw < lostOf) {
      lost++
      return []
    }
    if (held !== undefined) {
      const before = held
      held = undefined
      swapped++
      return [bytes, before]
    }
    if (draw < lostOf + swappedOf) {
      held = Buffer.from(bytes)
      return []
    }
    return [bytes]
  }
  return { onFrame, lost: () => lost, swapped: () => swapped }
}
