import type { EnvironmentProgression } from "@sluice/domain/policy"
import type { Verdict } from "@sluice/domain/verdict"
import { describe, expect, it } from "vitest"
import { environmentProgression } from "../src/environment-progression.ts"
import { type ProgressionStatistics, requiredSuccesses } from "../src/facts.ts"
import { needsOf } from "../src/needs.ts"
import { membershipSubject, progressionSubject } from "../src/wait-subject.ts"
import { expressions } from "./expressions.ts"
import { at, boundRule, candidate, context, environmentNamed, staging, subject } from "./given.ts"

const onStaging = { dependsOnEnvironmentSelector: `environment.name == "staging"` }

/** What a loader makes of the success times of the targets (first success of each). */
const statistics = (
  targets: number,
  clocks: ReadonlyArray<string>,
  more: { percentage?: number; mostRecent?: string } = {},
): ProgressionStatistics => {
  const times = clocks.map(at).sort((a, b) => a - b)
  const kth = times[requiredSuccesses(targets, more.percentage ?? 0) - 1]
  if (times[0] === undefined) return { targets, succeeded: 0 }
  return {
    targets,
    succeeded: times.length,
    earliestSuccessAt: times[0],
    ...(kth === undefined ? {} : { kthSuccessAt: kth }),
    latestOfEarliestSuccessAt: times.at(-1) as number,
    mostRecentSuccessAt: more.mostRecent === undefined ? (times.at(-1) as number) : at(more.mostRecent),
  }
}

const judge = (
  body: Partial<EnvironmentProgression>,
  given: {
    progress?: ProgressionStatistics | Record<string, ProgressionStatistics>
    now?: string
    siblings?: ReadonlyArray<typeof staging>
  },
): Verdict => {
  const { progress } = given
  const byId = progress === undefined ? {} : "targets" in progress ? { [staging.id]: progress } : progress
  const made = context([{ environmentProgression: { ...onStaging, ...body } }], {
    progress: byId as Record<string, ProgressionStatistics>,
    candidate: candidate("1.1.0", { createdAt: at("09:00") }),
    subject: subject(given.siblings === undefined ? {} : { siblings: given.siblings }),
    now: at(given.now ?? "12:00"),
  })
  return environmentProgression(boundRule(made, "environmentProgression"), made)
}

describe("a progression rule", () => {
  it("is content with one success when it names no percentage (V-EP-1)", () => {
    expect(judge({}, { progress: statistics(4, ["10:00"]) })).toMatchObject({ _tag: "Allow", satisfiedAt: at("10:00") })
  })

  it("is satisfied by the success that reached the percentage (V-EP-2)", () => {
    const body = { minimumSuccessPercentage: 50 }
    const clocks = ["10:05", "10:00"]
    expect(judge(body, { progress: statistics(4, clocks, { percentage: 50 }) })).toMatchObject({
      satisfiedAt: at("10:05"),
    })
    const more = judge({ minimumSuccessPercentage: 51 }, { progress: statistics(4, clocks, { percentage: 51 }) })
    expect(more).toMatchObject({
      _tag: "Wait",
      reason: "1.1.0 succeeded on 2 of 4 targets in staging, needs 3",
    })
  })

  it.each([
    [3, 66.6, 2],
    [3, 66.7, 3],
    [3, 67, 3],
    [4, 50, 2],
    [5, 100, 5],
    [7, 33.3, 3],
    [10, 80, 8],
    [1, 0.001, 1],
    [100, 99.5, 100],
    [1000, 99.99, 1000],
    [20000, 50.001, 10001],
    [3, 66.6667, 2],
    [5, 0, 1],
  ])("of %i targets and %f %% needs %i (V-EP-3)", (targets, percentage, needed) => {
    expect(requiredSuccesses(targets, percentage)).toBe(needed)
  })

  it("does not take two of three for 66.7 % (V-EP-4)", () => {
    const verdict = judge(
      { minimumSuccessPercentage: 66.7 },
      { progress: statistics(3, ["10:00", "10:01"], { percentage: 66.7 }) },
    )
    expect(verdict._tag).toBe("Wait")
  })

  it("soaks from the last first success, and wakes exactly when that is over (V-EP-5)", () => {
    const body = { minimumSoakTimeMinutes: 30 }
    const progress = statistics(2, ["10:00", "10:20"])
    expect(judge(body, { progress, now: "10:45" })).toMatchObject({ _tag: "Wait", until: at("10:50") })
    expect(judge(body, { progress, now: "10:50" })).toMatchObject({ _tag: "Allow", satisfiedAt: at("10:50") })
  })

  it("is not satisfied later by running again (V-EP-6)", () => {
    const body = { minimumSoakTimeMinutes: 30 }
    for (const [now, mostRecent] of [
      ["10:35", "10:00"],
      ["10:45", "10:40"],
    ] as const) {
      const progress = statistics(1, ["10:00"], { mostRecent })
      expect(judge(body, { progress, now })).toMatchObject({ _tag: "Allow", satisfiedAt: at("10:30") })
    }
  })

  it("waits without a timer once the last success is too old, for the next one (V-EP-7)", () => {
    const progress = statistics(1, ["10:00"])
    const verdict = judge({ maximumAgeHours: 1 }, { progress, now: "11:00:01" })
    expect(verdict).toMatchObject({ _tag: "Wait" })
    expect(verdict).not.toHaveProperty("until")
    const onTime = judge({ maximumAgeHours: 1 }, { progress, now: "11:00" })
    expect(onTime).toMatchObject({ _tag: "Allow", askAgainAt: at("11:00") + 1 })
  })

  const eu = environmentNamed("staging-eu", "e2")
  const us = environmentNamed("staging-us", "e3")
  const both = { dependsOnEnvironmentSelector: `environment.name.startsWith("staging-")` }
  const siblings = [eu, us]

  it("takes an environment without targets as allowed, unless told otherwise (V-EP-8)", () => {
    const progress = { [eu.id]: statistics(0, []), [us.id]: statistics(2, []) }
    expect(judge(both, { siblings, progress })).toMatchObject({ _tag: "Allow", satisfiedAt: at("09:00") })
    expect(judge({ ...both, emptyEnvironment: "deny" }, { siblings, progress })).toMatchObject({
      _tag: "Wait",
      reason: "staging-eu has no targets; 1.1.0 succeeded on 0 of 2 targets in staging-us, needs 1",
    })
  })

  it("denies where no environment of the same system matches (V-EP-9)", () => {
    expect(judge({}, { siblings: [] })).toMatchObject({ _tag: "Deny" })
    expect(judge({}, { siblings: [eu] })).toMatchObject({ _tag: "Deny" })
  })

  it("says verified where verification is required, and asks for such facts (V-EP-10)", () => {
    const body = { requireVerificationPassed: true, minimumSuccessPercentage: 100 }
    const progress = statistics(2, ["10:00"], { percentage: 100 })
    expect(judge(body, { progress })).toMatchObject({
      _tag: "Wait",
      reason: "1.1.0 succeeded and verified on 1 of 2 targets in staging, needs 2",
    })
    const made = context([{ environmentProgression: { ...onStaging, ...body } }])
    const needs = needsOf({ ...made, candidates: [made.candidate], expressions })
    expect(needs.progressions).toMatchObject([
      { requireVerification: true, minimumPercentage: 100, environmentId: staging.id },
    ])
  })

  it("asks for the statuses that count, and none when the list is empty (V-EP-11)", () => {
    const asked = (body: Partial<EnvironmentProgression>) => {
      const made = context([{ environmentProgression: { ...onStaging, ...body } }])
      return needsOf({ ...made, candidates: [made.candidate], expressions }).progressions[0]?.successStatuses
    }
    expect(asked({})).toEqual(["successful"])
    expect(asked({ successStatuses: ["successful", "skipped"] })).toEqual(["skipped", "successful"])
    expect(asked({ successStatuses: [] })).toEqual([])
  })

  it("is satisfied by the first environment that is enough (V-EP-12)", () => {
    const progress = { [eu.id]: statistics(1, ["10:30"]), [us.id]: statistics(1, ["10:10"]) }
    expect(judge(both, { siblings, progress })).toMatchObject({ satisfiedAt: at("10:10") })
  })

  it("needs every environment, and the last of them, when it combines all", () => {
    const all = { ...both, combine: "all" as const }
    const progress = { [eu.id]: statistics(1, ["10:30"]), [us.id]: statistics(1, ["10:10"]) }
    expect(judge(all, { siblings, progress })).toMatchObject({ _tag: "Allow", satisfiedAt: at("10:30") })
    const half = { ...progress, [eu.id]: statistics(1, []) }
    expect(judge(all, { siblings, progress: half })).toMatchObject({ _tag: "Wait" })
  })

  it("sets no timer over all environments while one needs more than time", () => {
    const body = { ...both, minimumSoakTimeMinutes: 30 }
    const progress = { [eu.id]: statistics(1, ["10:00"]), [us.id]: statistics(1, []) }
    const any = judge(body, { siblings, progress, now: "10:10" })
    expect(any).toMatchObject({ _tag: "Wait", until: at("10:30") })
    expect(judge({ ...body, combine: "all" }, { siblings, progress, now: "10:10" })).not.toHaveProperty("until")
    const soaking = { [eu.id]: statistics(1, ["10:00"]), [us.id]: statistics(1, ["10:05"]) }
    const both30 = judge({ ...body, combine: "all" }, { siblings, progress: soaking, now: "10:10" })
    expect(both30).toMatchObject({ until: at("10:35") })
  })

  it("asks again when the last environment that is enough grows too old, and never while one cannot", () => {
    const body = { ...both, maximumAgeHours: 1 }
    const aging = { [eu.id]: statistics(1, ["10:00"]), [us.id]: statistics(1, ["10:05"]) }
    expect(judge(body, { siblings, progress: aging, now: "10:10" })).toMatchObject({ askAgainAt: at("11:05") + 1 })
    const all = judge({ ...body, combine: "all" }, { siblings, progress: aging, now: "10:10" })
    expect(all).toMatchObject({ askAgainAt: at("11:00") + 1 })
    const empty = { ...aging, [us.id]: statistics(0, []) }
    expect(judge(body, { siblings, progress: empty, now: "10:10" })).not.toHaveProperty("askAgainAt")
  })

  it("waits on successes and on membership of the environments depended on", () => {
    const scope = { deploymentId: subject().deployment.id, environmentId: staging.id }
    const verdict = judge({}, { progress: statistics(2, []) })
    expect(verdict).toHaveProperty("on", expect.arrayContaining([progressionSubject(scope), membershipSubject(scope)]))
  })

  it("denies with the message of a selector that cannot be evaluated", () => {
    expect(judge({ dependsOnEnvironmentSelector: "enviroment.name" }, {})).toMatchObject({ _tag: "Deny" })
    expect(judge({ dependsOnEnvironmentSelector: "" }, {})).toMatchObject({ _tag: "Deny" })
  })

  it("does not mean an environment that lacks the key it is asked for", () => {
    const keyed = { dependsOnEnvironmentSelector: `environment.metadata["tier"] != "x"` }
    expect(judge(keyed, {})).toMatchObject({ _tag: "Deny" })
  })

  it("never allows on a fact that is not there", () => {
    expect(judge({}, {})).toMatchObject({ _tag: "Wait" })
  })
})
