// Whatever the broker does between a source's outbox and an inbox, every number is applied once and in order.
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Inbox, type InboxBounds, type Received } from "../src/inbox.ts"
import { channelOf } from "../src/partition-store.ts"

const sourceOf = (partition: number) => ({ kind: "door", partition, incarnation: 1 }) as const

const message = (partition: number, number: number, bytes = 10): Received => ({
  envelope: {
    id: `door-${partition}-${number}`,
    schemaVersion: 1,
    source: sourceOf(partition),
    number,
    workspaceId: "w",
    kind: "target",
    partition: 0,
    key: "k",
    type: "Reconcile",
    sentAt: 0,
    correlationId: "c",
    body: {},
  },
  storedAt: 0,
  bytes,
})

/** An inbox with the marks of its partition, and what a commit of each batch does to both. */
const partition = (bounds?: InboxBounds) => {
  const inbox = new Inbox(bounds)
  const marks = new Map<string, number>()
  const applied = new Map<number, Array<number>>()
  const batch = (limit: number) => {
    const { next, gaps } = inbox.select(marks, limit, inbox.arrivals)
    for (const { envelope } of next) {
      marks.set(channelOf(envelope.source), envelope.number)
      const list = applied.get(envelope.source.partition) ?? []
      list.push(envelope.number)
      applied.set(envelope.source.partition, list)
    }
    inbox.applied(next)
    return { next, gaps }
  }
  return { inbox, marks, applied, batch }
}

const oneTo = (n: number): ReadonlyArray<number> => Array.from({ length: n }, (_, i) => i + 1)

describe("an inbox behind a broker that repeats, reorders and drops", () => {
  it("gives each number of each source once and in order, as long as what is missing is sent again", () => {
    const sources = 3
    const perSource = 25
    const delivery = fc.tuple(fc.nat(sources - 1), fc.integer({ min: 1, max: perSource }))
    const step = fc.oneof({ weight: 4, arbitrary: delivery }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 7 }) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 2, max: 40 }), (steps, messagesMax) => {
        const { inbox, marks, applied, batch } = partition({ messagesMax, bytesMax: 10 * messagesMax })
        for (const one of steps) {
          if (typeof one === "number") batch(one)
          else inbox.add(message(...one))
        }
        // From here on the sources do what the relay does: what follows the mark is sent again, a few at a time.
        for (let round = 0; round < 2_000 && [...applied.values()].flat().length < sources * perSource; round++) {
          const source = round % sources
          const from = (marks.get(channelOf(sourceOf(source))) ?? 0) + 1
          for (let number = from; number < from + 5 && number <= perSource; number++) {
            inbox.add(message(source, number))
          }
          batch(10)
        }
        for (let source = 0; source < sources; source++) expect(applied.get(source)).toEqual(oneTo(perSource))
        batch(10)
        expect(inbox.size).toBe(0)
      }),
      { numRuns: 300 },
    )
  })

  it("names as missing exactly the number after the mark of a source whose later numbers it holds", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), numbers => {
        const { inbox, marks, batch } = partition()
        for (const number of numbers) inbox.add(message(0, number))
        while (batch(5).next.length > 0) {}
        const { gaps } = batch(5)
        const mark = marks.get(channelOf(sourceOf(0))) ?? 0
        expect(numbers).not.toContain(mark + 1)
        expect(gaps.map(gap => gap.from)).toEqual(numbers.some(number => number > mark) ? [mark + 1] : [])
      }),
    )
  })
})

describe("an inbox that is full", () => {
  it("still takes the one message that everything else waits behind", () => {
    const { inbox, batch, applied } = partition({ messagesMax: 100, bytesMax: 1_000_000 })
    for (let number = 2; number <= 500; number++) inbox.add(message(0, number))
    expect(batch(10).gaps.map(gap => gap.from)).toEqual([1])
    inbox.add(message(0, 1))
    while (batch(10).next.length > 0) {}
    expect(applied.get(0)?.slice(0, 50)).toEqual(oneTo(50))
  })

  it("keeps the messages of a quiet source beside those of one that is stuck", () => {
    const { inbox, batch, applied } = partition({ messagesMax: 100, bytesMax: 1_000_000 })
    for (let number = 2; number <= 300; number++) inbox.add(message(0, number))
    inbox.add(message(1, 1))
    for (let number = 301; number <= 600; number++) inbox.add(message(0, number))
    batch(10)
    expect(applied.get(1)).toEqual([1])
  })

  it("is full by weight as well as by count, and always holds at least one message of a source", () => {
    const { inbox, batch, applied } = partition({ messagesMax: 100, bytesMax: 1_000 })
    for (let number = 1; number <= 50; number++) inbox.add(message(0, number, 300))
    expect(inbox.size).toBeLessThanOrEqual(4)
    expect(batch(10).next.length).toBeGreaterThan(0)
    expect(applied.get(0)?.[0]).toBe(1)
  })
})
