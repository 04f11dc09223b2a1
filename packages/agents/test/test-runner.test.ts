import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { configured } from "../src/configured.ts"
import type { AgentJob } from "../src/driver.ts"
import {
  answerToCancel,
  answerToDispatch,
  answerToProbe,
  repeatsOf,
  scenarioOf,
  TestRunnerConfig as schema,
  type TestRunnerConfig,
} from "../src/test-runner.ts"

const created = Date.UTC(2026, 0, 5, 10)
const job = (seconds: number, rest: Partial<AgentJob> = {}): AgentJob => ({
  workspaceId: "w",
  jobAgentId: "a",
  jobSetId: "s",
  jobId: "j",
  targetKey: "t",
  try: 1,
  attempt: 1,
  confirmed: true,
  config: {},
  dispatchContext: {},
  createdAt: created,
  deadline: created + 600_000,
  now: created + seconds * 1_000,
  ...rest,
})

describe("the test runner", () => {
  it("takes five seconds unless told, and says when to ask again", () => {
    expect(answerToDispatch({}, job(0))).toEqual({ _tag: "Running", probeAfterMs: 5_000 })
    expect(answerToProbe({}, job(4.5))).toEqual({ _tag: "Running", probeAfterMs: 500 })
    expect(answerToProbe({}, job(5))).toMatchObject({ _tag: "Ended", status: "successful" })
    expect(answerToDispatch({ delaySeconds: 0 }, job(0))).toMatchObject({ _tag: "Ended" })
  })

  it("ends as failure when its status says so, with its message", () => {
    const config = { status: "failure", message: "no space left" }
    expect(answerToProbe(config, job(5))).toEqual({ _tag: "Ended", status: "failure", message: "no space left" })
    expect(answerToProbe({ status: "completed" }, job(5))).toMatchObject({ status: "successful" })
  })

  it("flaps: fails the first tries of a release, then succeeds", () => {
    const config = { scenario: "flap", flapTries: 2 } as const
    const ends = [1, 2, 3].map(each => answerToProbe(config, job(5, { try: each })))
    expect(ends.map(end => end._tag === "Ended" && end.status)).toEqual(["failure", "failure", "successful"])
  })

  it("that loses its report promises to tell, does not, and answers when asked", () => {
    const config = { scenario: "lose-report" } as const
    expect(answerToDispatch(config, job(0))).toEqual({ _tag: "Running", probeAfterMs: null })
    expect(answerToProbe(config, job(600))).toMatchObject({ _tag: "Ended", status: "successful" })
  })

  it("that repeats its report tells its end twice", () => {
    expect(repeatsOf(job(5, { config: { scenario: "repeat-report" } }))).toBe(2)
    expect(repeatsOf(job(5))).toBe(1)
  })

  it("that never ends cannot be cancelled either", () => {
    const config = { scenario: "never" } as const
    expect(answerToProbe(config, job(100_000))).toEqual({ _tag: "Running", probeAfterMs: null })
    expect(answerToCancel(config, job(100_000))._tag).toBe("Unsupported")
  })

  it("stops when cancelled, unless it was over before", () => {
    expect(answerToCancel({}, job(1))).toMatchObject({ _tag: "Ended", status: "cancelled" })
    expect(answerToCancel({}, job(6))).toMatchObject({ _tag: "Ended", status: "successful" })
  })

  it("never changes an end once told, whatever it plays", () => {
    const configs = fc.record(
      {
        delaySeconds: fc.integer({ min: 0, max: 60 }),
        scenario: fc.constantFrom("succeed", "fail", "flap", "lose-report", "repeat-report", "never", "seeded"),
        seed: fc.integer(),
      },
      { requiredKeys: [] },
    ) as fc.Arbitrary<TestRunnerConfig>
    fc.assert(
      fc.property(configs, fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 100 }), (config, at, later) => {
        const first = answerToProbe(config, job(at))
        if (first._tag === "Ended") expect(answerToProbe(config, job(at + later))).toEqual(first)
      }),
    )
  })

  it("plays the same for a seed, a target and a try, and not the same for all of them", () => {
    const plays = Array.from({ length: 60 }, (_, index) =>
      scenarioOf({ scenario: "seeded", seed: 7 }, { targetKey: `target-${index}`, try: 1 }),
    )
    expect(new Set(plays).size).toBeGreaterThan(2)
    expect(plays.filter(each => each === "succeed").length).toBeGreaterThan(25)
    expect(scenarioOf({ scenario: "seeded", seed: 7 }, { targetKey: "target-3", try: 1 })).toBe(plays[3])
  })
})

describe("an agent's config", () => {
  it("that is not valid rejects the job in words, and one with fields of others is taken", () => {
    const wrong = configured(schema, { config: { delaySeconds: "5" } }, () => "used")
    expect(wrong).toMatchObject({ _tag: "Rejected", message: expect.stringContaining("delaySeconds") })
    expect(configured(schema, { config: { delaySeconds: 5, team: "shop" } }, config => config.delaySeconds)).toBe(5)
  })
})
