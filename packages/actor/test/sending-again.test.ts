// When a destination asks for what is missing, and when a source sends again by itself.
import { describe, expect, it } from "vitest"
import { Asking } from "../src/asking.ts"
import type { ChannelBacklog } from "../src/partition-store.ts"
import { Resends } from "../src/resends.ts"

const source = { kind: "door", partition: 0, incarnation: 1 } as const
const gap = (from: number) => ({ source, from })

describe("a partition that misses a number", () => {
  it("waits a moment for it, then asks, and goes on asking less often than it looks", () => {
    const asking = new Asking()
    const asked = Array.from({ length: 13 }, (_, i) => i * 100).filter(now => asking.due([gap(5)], now).length > 0)
    expect(asked).toEqual([100, 600, 1_100])
  })

  it("asks for nothing when the number was only late", () => {
    const asking = new Asking()
    expect(asking.due([gap(5)], 0)).toEqual([])
    expect(asking.open).toBe(true)
    expect(asking.due([], 50)).toEqual([])
    expect(asking.open).toBe(false)
    expect(asking.due([gap(9)], 120)).toEqual([])
  })
})

const channel = (first: number, count = 10): ChannelBacklog => ({
  source: { kind: "door", partition: 0 },
  kind: "target",
  partition: 1,
  first,
  count,
})
/** At which of these milliseconds a channel that stands at `first` is sent again. */
const sentAgain = (resends: Resends, first: (now: number) => number, until: number) => {
  const at: Array<number> = []
  for (let now = 0; now <= until; now += 400) {
    if (resends.due([channel(first(now))], now).length > 0) at.push(now)
  }
  return at
}

describe("a source with unapplied messages", () => {
  it("sends nothing again while its destination gets on", () => {
    expect(sentAgain(new Resends(), now => now, 60_000)).toEqual([])
  })

  it("sends again what stands still, ever less often, so that a stopped reader does not fill the broker", () => {
    const at = sentAgain(new Resends(), () => 1, 3_600_000)
    expect(at[0]).toBe(2_000)
    const waits = at.slice(1).map((ms, i) => ms - (at[i] ?? 0))
    // Whenever the fault ends, the next time comes within two seconds or a good tenth of what it has lasted.
    waits.forEach((wait, i) => void expect(wait).toBeLessThanOrEqual(Math.max(2_400, 0.1 * (at[i] ?? 0) + 400)))
    expect(at.length).toBeLessThan(130)
    expect((at.at(-1) ?? 0) > 3_500_000).toBe(true)
  })

  it("goes on at once with what follows, when all that was sent again has been applied", () => {
    const resends = new Resends()
    resends.due([channel(1)], 0)
    expect(resends.due([channel(1)], 2_000)).toHaveLength(1)
    resends.sent({ kind: "door", partition: 0 }, { kind: "target", partition: 1 }, 500)
    expect(resends.due([channel(300)], 2_400)).toEqual([])
    expect(resends.due([channel(501)], 2_800)).toHaveLength(1)
  })

  it("sends at once what is urgent, whatever it had waited for", () => {
    const resends = new Resends()
    expect(resends.due([channel(1)], 0, new Set(["door.0"]))).toHaveLength(1)
    expect(resends.due([channel(1)], 100, new Set(["door.1"]))).toEqual([])
    expect(resends.due([channel(1)], 100, new Set(["door.0"]))).toHaveLength(1)
  })
})
