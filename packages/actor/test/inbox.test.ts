import { describe, expect, it } from "vitest"
import { Inbox, type Received } from "../src/inbox.ts"
import { channelOf } from "../src/partition-store.ts"

const source = { kind: "door", partition: 0, incarnation: 1 } as const
const channel = channelOf(source)
const message = (number: number): Received => ({
  envelope: {
    id: `m${number}`,
    schemaVersion: 1,
    source,
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
  bytes: 100,
})
const holding = (...numbers: ReadonlyArray<number>): Inbox => {
  const inbox = new Inbox()
  for (const number of numbers) inbox.add(message(number))
  return inbox
}
const select = (inbox: Inbox, applied: number, horizon = inbox.arrivals, limit = 10) => {
  const { next, gaps } = inbox.select(new Map([[channel, applied]]), limit, horizon)
  return { next: next.map(received => received.envelope.number), gaps: gaps.map(gap => gap.from) }
}

describe("an inbox", () => {
  it("answers what follows the mark in order, and drops what is at or below it", () => {
    const inbox = holding(3, 4, 5)
    expect(select(inbox, 3)).toEqual({ next: [4, 5], gaps: [] })
    expect(inbox.size).toBe(2)
  })

  it("stops before a missing number and names it", () => {
    expect(select(holding(4, 6, 7), 3)).toEqual({ next: [4], gaps: [5] })
  })

  it("leaves what arrived after the transaction began to the next one: its snapshot does not show what came with it", () => {
    const inbox = holding(4, 5, 6)
    expect(select(inbox, 3, 1)).toEqual({ next: [4], gaps: [] })
    expect(select(inbox, 4)).toEqual({ next: [5, 6], gaps: [] })
  })

  it("does not call missing what has arrived too late for this transaction", () => {
    expect(select(holding(6, 5, 4), 3, 2)).toEqual({ next: [], gaps: [] })
  })
})
