// What becomes of one delivery, outcome by outcome, on a test clock. The queue's side of it is in runtime.contract.test.ts.
import { describe, expect, it } from "@effect/vitest"
import { perform } from "@sluice/activity/perform"
import type { Work } from "@sluice/actor/ports"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { type Payload, type ProbeOutcome, probe, stubDoor, workText } from "./probe.ts"

const delivered = (text: string, deliveries = 1) => {
  const verdicts: Array<string> = []
  const note = (verdict: string) => Effect.sync(() => void verdicts.push(verdict))
  const work: Work = {
    data: new TextEncoder().encode(text),
    subject: "a.subject",
    header: () => undefined,
    storedAt: 1,
    sequence: 1,
    deliveries,
    ack: note("ack"),
    retry: delay => note(`retry ${delay}`),
    working: note("working"),
    terminate: reason => note(`terminate ${reason}`),
  }
  return { work, verdicts }
}

const answering = (outcome: ProbeOutcome) => probe(() => Effect.succeed(outcome))
const url = workText({ url: "http://site" } satisfies Payload)
const told = (door: ReturnType<typeof stubDoor>) => door.committed.map(each => [each.type, each.body])

describe("an outcome that is a result", () => {
  const rows: ReadonlyArray<readonly [string, ProbeOutcome, string, unknown]> = [
    ["done", { _tag: "Done", result: 3 }, "Measured", 3],
    ["still running", { _tag: "StillRunning", result: "run 7" }, "Running", "run 7"],
    ["permanent", { _tag: "Permanent", result: "no such site" }, "Failed", "no such site"],
  ]
  for (const [name, outcome, type, body] of rows) {
    it.effect(`${name}: is committed at the workspace's door as caused by the work, then acknowledged`, () =>
      Effect.gen(function* () {
        const { work, verdicts } = delivered(url)
        const door = stubDoor([], () => verdicts.push("commit"))
        yield* perform(answering(outcome), door.service, work)
        expect(verdicts).toEqual(["commit", "ack"])
        expect(door.committed).toEqual([
          {
            kind: "verification",
            workspaceId: "ws",
            key: "k1",
            type,
            body,
            correlationId: "c1",
            causationId: "w1",
            door: "ws",
          },
        ])
      }),
    )
  }
})

describe("a transient outcome", () => {
  const transient: ProbeOutcome = { _tag: "Transient", reason: "503" }

  it.effect("asks for the schedule's delay of that delivery and reports nothing", () =>
    Effect.gen(function* () {
      const door = stubDoor()
      const [first, second] = [delivered(url, 1), delivered(url, 2)]
      yield* perform(answering(transient), door.service, first.work)
      yield* perform(answering(transient), door.service, second.work)
      expect([first.verdicts, second.verdicts]).toEqual([["retry 1000"], ["retry 2000"]])
      expect(door.committed).toEqual([])
    }),
  )

  it.effect("waits as long as the vendor asked for, within reason", () =>
    Effect.gen(function* () {
      const door = stubDoor()
      const [some, much] = [delivered(url), delivered(url)]
      yield* perform(answering({ ...transient, retryAfter: 7_000 }), door.service, some.work)
      yield* perform(answering({ ...transient, retryAfter: 86_400_000 }), door.service, much.work)
      expect([some.verdicts, much.verdicts]).toEqual([["retry 7000"], ["retry 900000"]])
    }),
  )

  it.effect("is reported as given up and acknowledged when the schedule is used up", () =>
    Effect.gen(function* () {
      const door = stubDoor()
      const { work, verdicts } = delivered(url, 3)
      yield* perform(answering({ ...transient, retryAfter: 7_000 }), door.service, work)
      expect(told(door)).toEqual([["GaveUp", "503"]])
      expect(verdicts).toEqual(["ack"])
    }),
  )

  it.effect("is what a run that breaks counts as", () =>
    Effect.gen(function* () {
      const door = stubDoor()
      const [thrown, died] = [delivered(url), delivered(url, 3)]
      const throwing = probe(() => {
        throw new Error("a bug")
      })
      yield* perform(throwing, door.service, thrown.work)
      yield* perform(
        probe(() => Effect.die("another bug")),
        door.service,
        died.work,
      )
      expect(thrown.verdicts).toEqual(["retry 1000"])
      expect(told(door)).toEqual([["GaveUp", "the activity broke"]])
    }),
  )

  it.effect("is what a run over its time limit counts as; the queue hears every two seconds that it is working", () =>
    Effect.gen(function* () {
      const door = stubDoor()
      const { work, verdicts } = delivered(url)
      const stuck = yield* Effect.forkChild(
        perform(
          probe(() => Effect.never),
          door.service,
          work,
        ),
      )
      yield* TestClock.adjust("24 seconds")
      expect(verdicts).toEqual(Array(12).fill("working"))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(stuck)
      expect(verdicts).toEqual([...Array(12).fill("working"), "retry 1000"])
    }),
  )
})

describe("a store that is away when the result is to be committed", () => {
  it.effect("is waited for, the work kept in hands and not done again", () =>
    Effect.gen(function* () {
      let runs = 0
      const counting = probe(() =>
        Effect.sync(() => {
          runs += 1
          return { _tag: "Done", result: 3 }
        }),
      )
      const door = stubDoor(["unavailable", "conflict", ...Array<"unavailable">(10).fill("unavailable")])
      const { work, verdicts } = delivered(url)
      const performing = yield* Effect.forkChild(perform(counting, door.service, work))
      yield* TestClock.adjust("3 seconds")
      expect(verdicts).toEqual(["working"])
      expect(door.committed).toEqual([])
      yield* TestClock.adjust("10 minutes")
      yield* Fiber.join(performing)
      expect(verdicts.at(-1)).toBe("ack")
      expect(told(door)).toEqual([["Measured", 3]])
      expect(runs).toBe(1)
    }),
  )

  it.effect("does not hold up for ever what it can never store", () =>
    Effect.gen(function* () {
      const door = stubDoor(["message"])
      const { work, verdicts } = delivered(url)
      yield* perform(answering({ _tag: "Done", result: 3 }), door.service, work)
      expect(verdicts).toEqual(["terminate unstorable result"])
      expect([door.committed, door.completed]).toEqual([[], ["w1"]])
    }),
  )
})

describe("work that cannot be read", () => {
  const never = probe(() => Effect.die("it must not run"))

  for (const [name, text, known] of [
    ["is no JSON", "{", []],
    ["lacks its workspace", JSON.stringify({ id: "w1", schemaVersion: 1, name: "probe-metric" }), []],
    ["has a payload of another shape", workText({ uri: 1 }), ["w1"]],
  ] as const) {
    it.effect(`because it ${name} is never delivered again, nor published again when it says what it is`, () =>
      Effect.gen(function* () {
        const { work, verdicts } = delivered(text)
        const door = stubDoor()
        yield* perform(never, door.service, work)
        expect(verdicts).toEqual(["terminate unreadable"])
        expect(door.completed).toEqual(known)
      }),
    )
  }

  it.effect("because a newer version wrote it is left for a newer process", () =>
    Effect.gen(function* () {
      const { work, verdicts } = delivered(workText({ newShape: true }, { schemaVersion: 2, workspaceId: 7 }))
      yield* perform(never, stubDoor().service, work)
      expect(verdicts).toEqual(["retry 30000"])
    }),
  )
})
