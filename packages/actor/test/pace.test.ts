// What follows from a failed batch, by whose fault it was.
import { describe, expect, it } from "vitest"
import type { BatchInput } from "../src/input.ts"
import { deadLettersPerMinuteMax, type Next, Pace, StepFailed } from "../src/pace.ts"
import { StorageError } from "../src/ports.ts"

const inputs = (count: number, first = 0): ReadonlyArray<BatchInput> =>
  Array.from({ length: count }, (_, i) => ({
    key: "k",
    workspaceId: "w",
    id: `m${first + i}`,
    type: "Reconcile",
    body: {},
    correlationId: "c",
    receipt: false,
  }))
const conflict = new StorageError({ fault: "conflict", message: "somebody else was first" })
const away = new StorageError({ fault: "unavailable", message: "nobody answers" })
const unwritable = new StorageError({ fault: "message", message: "this can never be written" })

/** Runs a queue in which the messages at `bad` always fail; answers who was put aside and how many batches it took. */
const work = (count: number, bad: ReadonlyArray<number>) => {
  const pace = new Pace()
  const aside: Array<string> = []
  let queue = inputs(count)
  let batches = 0
  while (queue.length > 0) {
    batches++
    const attempted = queue.slice(0, pace.limit)
    if (!attempted.some(one => bad.includes(Number(one.id.slice(1))))) {
      pace.succeeded(attempted.length, 5)
      queue = queue.slice(attempted.length)
      continue
    }
    const next: Next = pace.failed(unwritable, attempted)
    if (next._tag !== "PutAside") continue
    aside.push(next.input.id)
    queue = queue.filter(one => one.id !== next.input.id)
  }
  return { aside, batches }
}

describe("a batch that fails by a message's fault", () => {
  it("is halved until the message stands alone, wherever it is, and only that one is put aside", () => {
    for (const bad of [0, 1, 250, 251, 498, 499]) expect(work(500, [bad]).aside).toEqual([`m${bad}`])
    expect(work(500, [3, 4, 400]).aside).toEqual(["m3", "m4", "m400"])
  })

  it("costs some tens of batches for one bad message in five hundred, not hundreds", () => {
    for (const bad of [0, 137, 499]) expect(work(500, [bad]).batches).toBeLessThan(60)
  })

  it("is tried once more alone before a dead letter: what broke may have been the moment", () => {
    const pace = new Pace()
    expect(pace.failed(new StepFailed("broke"), inputs(1))._tag).toBe("Again")
    expect(pace.failed(new StepFailed("broke"), inputs(1, 7))._tag).toBe("Again")
    expect(pace.failed(new StepFailed("broke"), inputs(1, 7))).toMatchObject({ _tag: "PutAside", input: { id: "m7" } })
  })
})

describe("a batch that fails by nobody's fault", () => {
  it("is put off ever longer while the store is away, and never costs a message", () => {
    const pace = new Pace()
    const waits = Array.from({ length: 8 }, () => pace.failed(away, inputs(1)))
    expect(waits.map(next => next._tag)).toEqual(waits.map(() => "PutOff"))
    expect(waits.map(next => (next._tag === "PutOff" ? next.afterMilliseconds : -1))).toEqual([
      50, 100, 200, 400, 800, 1_000, 1_000, 1_000,
    ])
  })

  it("is smaller the next time: one that takes longer than a session may would fail for ever at the same size", () => {
    const pace = new Pace()
    pace.failed(away, inputs(500))
    expect(pace.limit).toBe(250)
    for (let i = 0; i < 10; i++) pace.failed(away, inputs(pace.limit))
    expect(pace.limit).toBe(1)
    for (let i = 0; i < 9; i++) pace.succeeded(pace.limit, 5)
    expect(pace.limit).toBe(500)
  })

  it("is repeated at once after one conflict, and steps back after several", () => {
    const pace = new Pace()
    const waits = Array.from({ length: 9 }, () => {
      const next = pace.failed(conflict, inputs(100))
      return next._tag === "Again" ? next.afterMilliseconds : -1
    })
    expect(waits[0]).toBe(0)
    expect(waits.at(-1)).toBe(100)
    expect(waits).toEqual([...waits].sort((a, b) => a - b))
  })

  it("is followed by a smaller one when it was slow", () => {
    const pace = new Pace()
    pace.succeeded(400, 1_500)
    expect(pace.limit).toBe(200)
  })
})

describe("the timers of a batch", () => {
  it("leave room for messages, however many are overdue, unless a single input is looked for", () => {
    const pace = new Pace()
    const shares: Array<readonly [number, number]> = []
    while (pace.limit > 1) {
      shares.push([pace.limit, pace.timers])
      pace.failed(unwritable, inputs(pace.limit))
    }
    expect(shares.every(([limit, timers]) => timers > 0 && timers < limit)).toBe(true)
    expect([pace.limit, pace.timers]).toEqual([1, 1])
  })
})

describe("a partition with dead letters", () => {
  it("stops when there are more in one minute than messages can be to blame for, and not when they come slowly", () => {
    const pace = new Pace()
    expect(pace.dead(deadLettersPerMinuteMax, 0)).toBe(false)
    expect(pace.dead(1, 30_000)).toBe(true)
    const slow = new Pace()
    for (let i = 0; i < 500; i++) expect(slow.dead(1, i * 1_000)).toBe(false)
  })
})
