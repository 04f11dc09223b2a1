import type { ReleaseTargetKey } from "@sluice/domain/ids"
import type { GradualRollout, RuleBodies } from "@sluice/domain/policy"
import type { Verdict } from "@sluice/domain/verdict"
import { describe, expect, it } from "vitest"
import type { Neighbour, RolloutFacts, VerifiedRolloutFacts } from "../src/facts.ts"
import { capVerdict, gradualRollout, isCapped, rolloutGuard } from "../src/gradual-rollout.ts"
import { neighbourSubject, rolloutFailureSubject, rolloutSubject } from "../src/wait-subject.ts"
import {
  approved,
  at,
  boundRule,
  candidate,
  context,
  fresh,
  type Known,
  production,
  staging,
  subject,
} from "./given.ts"

const scope = { deploymentId: subject().deployment.id, environmentId: production.id }
const T = "10:00"

const judge = (
  body: GradualRollout,
  rollout: RolloutFacts | undefined,
  given: Known & { now?: string; others?: ReadonlyArray<RuleBodies & { createdAt?: number }>; onIt?: boolean } = {},
): Verdict => {
  const version = candidate("1.1.0", { createdAt: at(T) })
  const made = context([{ gradualRollout: body }, ...(given.others ?? [])], {
    ...given,
    candidate: version,
    now: at(given.now ?? T),
    ...(rollout === undefined ? {} : { rollout }),
    ...(given.onIt === true ? { history: { ...fresh, currentVersionId: version.version.id } } : {}),
  })
  return gradualRollout(boundRule(made, "gradualRollout"), made)
}

const linear: GradualRollout = { rolloutType: "linear", timeScaleInterval: 60 }
const place = (position: number, total = 5, failed = 0): RolloutFacts => ({ failed, clock: { position, total } })

describe("a rollout by the clock", () => {
  it("holds a place until it is due and lets it go at that very moment (V-GR-3, V-GR-5)", () => {
    expect(judge(linear, place(2), { now: "10:01:59" })).toMatchObject({
      _tag: "Wait",
      until: at("10:02"),
      reason: "place 3 of 5 in the rollout of 1.1.0, due 2026-03-02T10:02:00.000Z",
    })
    expect(judge(linear, place(2), { now: "10:02" })._tag).toBe("Allow")
    expect(judge(linear, place(0))._tag).toBe("Allow")
  })

  it("allows a target that is already on the version, whatever its place (V-GR-6)", () => {
    expect(judge(linear, place(4), { onIt: true })._tag).toBe("Allow")
  })

  it("goes on after a failure, unless a budget is set (V-GR-7)", () => {
    expect(judge(linear, place(0, 5, 3))._tag).toBe("Allow")
    expect(judge({ ...linear, maxFailures: 1 }, place(0, 5, 1))._tag).toBe("Allow")
    expect(judge({ ...linear, maxFailures: 1 }, place(0, 5, 2))).toMatchObject({
      _tag: "Wait",
      reason: "rollout halted, 2 of 1 failures allowed",
      on: [rolloutFailureSubject(scope)],
    })
  })

  it("moves a target back when another arrives before it (V-GR-8)", () => {
    expect(judge(linear, place(3, 6), { now: "10:02" })).toMatchObject({ until: at("10:03") })
  })

  it("spreads over the whole interval when normalized (V-GR-4)", () => {
    const normalized: GradualRollout = { rolloutType: "linear-normalized", timeScaleInterval: 600 }
    expect(judge(normalized, place(3))).toMatchObject({ until: at("10:06") })
  })

  it("denies a target that is not in the order", () => {
    expect(judge(linear, { failed: 0 })._tag).toBe("Deny")
  })

  it("never allows on a fact that is not there", () => {
    expect(judge(linear, undefined)._tag).toBe("Wait")
  })
})

describe("the clock of a rollout", () => {
  const twoApprovals = { anyApproval: { minApprovals: 2 } }
  const progression = { environmentProgression: { dependsOnEnvironmentSelector: `environment.name == "staging"` } }
  const succeeded = (clock: string) => ({
    [staging.id]: { targets: 1, succeeded: 1, kthSuccessAt: at(clock), latestOfEarliestSuccessAt: at(clock) },
  })
  const approvals = [approved("u1", T), approved("u2", "11:00")]

  it("starts with the deciding approval (V-GS-1)", () => {
    const others = [twoApprovals]
    expect(judge(linear, place(0), { others, approvals, now: "11:00" })._tag).toBe("Allow")
    expect(judge(linear, place(1), { others, approvals, now: "11:00" })).toMatchObject({ until: at("11:01") })
  })

  it("starts when the later of approval and progression is satisfied (V-GS-2)", () => {
    const others = [twoApprovals, progression]
    const both = judge(linear, place(1), { others, approvals, progress: succeeded("10:30"), now: "11:00" })
    expect(both).toMatchObject({ until: at("11:01") })
    const other = judge(linear, place(1), { others, approvals, progress: succeeded("11:30"), now: "11:00" })
    expect(other).toMatchObject({ until: at("11:31") })
  })

  it("does not run, and sets no timer, while one of the two kinds is not satisfied at all (V-GS-2)", () => {
    const progress = { [staging.id]: { targets: 1, succeeded: 0 } }
    const verdict = judge(linear, place(0), { others: [twoApprovals, progression], approvals, progress, now: "11:00" })
    expect(verdict).toMatchObject({ _tag: "Wait", details: { rollout_start_time: null } })
    expect(verdict).not.toHaveProperty("until")
  })

  it("starts with the version where the approval rule is younger than it (V-GS-7)", () => {
    const others = [{ ...twoApprovals, createdAt: at("10:30") }]
    expect(judge(linear, place(1), { others, approvals: [] })).toMatchObject({ until: at("10:01") })
  })
})

const verified: GradualRollout = { rolloutType: "verified" }
const neighbour = (position: number, what = "deploying"): Neighbour => ({
  key: subject({ resourceSuffix: `a${position}` }).key,
  name: `site-${position}`,
  position,
  what,
})
const health = (more: Partial<VerifiedRolloutFacts> & { failed?: number }): RolloutFacts => {
  const { failed = 0, ...rest } = more
  const ahead = rest.unsettledAhead ?? []
  return {
    failed,
    verified: {
      position: 3,
      total: 5,
      unsettledAhead: ahead,
      unsettledAheadCount: ahead.length,
      activeOthers: 0,
      ...rest,
    },
  }
}

describe("a rollout by health", () => {
  it("lets a target go when all ahead have settled and nobody is busy", () => {
    expect(judge(verified, health({}))._tag).toBe("Allow")
  })

  it("waits for the neighbour ahead, and says who that is", () => {
    expect(judge(verified, health({ unsettledAhead: [neighbour(2)] }))).toMatchObject({
      _tag: "Wait",
      reason: "place 4 of 5 in the rollout of 1.1.0, waits for site-2 (deploying)",
    })
  })

  it("waits on as many of the nearest as may be busy at a time: one of them settles before it may go", () => {
    const unsettledAhead = [neighbour(3), neighbour(2), neighbour(1)]
    const verdict = judge({ ...verified, maxConcurrent: 2 }, health({ unsettledAhead, position: 4 }))
    const keysOf = (position: number) => neighbourSubject(neighbour(position).key)
    expect(verdict).toHaveProperty("on", expect.arrayContaining([keysOf(3), keysOf(2), rolloutFailureSubject(scope)]))
    expect(verdict).toHaveProperty("on", expect.not.arrayContaining([keysOf(1)]))
  })

  it("waits on the whole pair where neighbours would be too many", () => {
    const unsettledAhead = Array.from({ length: 21 }, (_, index) => ({
      ...neighbour(index),
      key: `${index}` as ReleaseTargetKey,
    }))
    const verdict = judge({ ...verified, maxConcurrent: 21 }, health({ unsettledAhead }))
    expect(verdict).toHaveProperty("on", expect.arrayContaining([rolloutSubject(scope)]))
  })

  it("lets a target go beside another while fewer are unsettled than may be", () => {
    const facts = health({ unsettledAhead: [neighbour(2)], activeOthers: 1 })
    expect(judge({ ...verified, maxConcurrent: 2 }, facts)._tag).toBe("Allow")
  })

  it("counts whoever is busy in the pair, whatever its version, and waits for a free place", () => {
    expect(judge(verified, health({ activeOthers: 1 }))).toMatchObject({
      _tag: "Wait",
      reason: "place 4 of 5 in the rollout of 1.1.0, 1 of at most 1 target is busy",
      on: expect.arrayContaining([rolloutSubject(scope)]),
    })
  })

  it("halts at the first failure, and only wakes when failures change", () => {
    expect(judge(verified, health({ failed: 1 }))).toMatchObject({
      _tag: "Wait",
      reason: "rollout halted, 1 of 0 failures allowed",
      on: [rolloutFailureSubject(scope)],
    })
    expect(judge({ ...verified, maxFailures: 1 }, health({ failed: 1 }))._tag).toBe("Allow")
    expect(judge({ ...verified, maxFailures: 1 }, health({ failed: 2 }))).toMatchObject({
      reason: "rollout halted, 2 of 1 failures allowed",
    })
  })

  it("does not start a version once a newer one has started", () => {
    const newerStarted = { versionId: candidate("1.2.0").version.id, tag: "1.2.0" }
    expect(judge(verified, health({ newerStarted }))).toMatchObject({
      _tag: "Deny",
      reason: "1.2.0, which is newer, has started in production",
    })
  })

  it("keeps the least time between two starts", () => {
    const paced: GradualRollout = { ...verified, timeScaleInterval: 120 }
    const facts = health({ lastStartAt: at(T) })
    expect(judge(paced, facts, { now: "10:01:59" })).toMatchObject({ _tag: "Wait", until: at("10:02") })
    expect(judge(paced, facts, { now: "10:02" })._tag).toBe("Allow")
    expect(judge(paced, health({}))._tag).toBe("Allow")
  })

  it("allows a target that is already on the version, even when halted", () => {
    expect(judge(verified, health({ failed: 1 }), { onIt: true })._tag).toBe("Allow")
  })

  it.each([{ waves: [1, "50%"] }, { firstWaveBakeSeconds: 60 }])(
    "does not start under %o, which it cannot keep",
    part => {
      expect(judge({ ...verified, ...part }, health({}))._tag).toBe("Wait")
    },
  )

  it("never allows on a fact that is not there", () => {
    expect(judge(verified, undefined)._tag).toBe("Wait")
    expect(judge(verified, { failed: 0 })._tag).toBe("Wait")
  })
})

describe("the cap of a rollout", () => {
  const capped = context([{ gradualRollout: { ...verified, maxConcurrent: 2 } }, { gradualRollout: verified }])

  it("is the narrowest of all rollouts by health that bind the target", () => {
    expect(isCapped(capped.binding)).toBe(true)
    expect(capVerdict(capped.binding, capped.subject, health({ activeOthers: 0 }))._tag).toBe("Allow")
    expect(capVerdict(capped.binding, capped.subject, health({ activeOthers: 1 }))).toMatchObject({
      _tag: "Wait",
      on: [rolloutSubject(scope)],
    })
    expect(capVerdict(capped.binding, capped.subject, undefined)._tag).toBe("Wait")
  })

  it("does not exist for rollouts by the clock", () => {
    const clock = context([{ gradualRollout: linear }])
    expect(isCapped(clock.binding)).toBe(false)
    expect(capVerdict(clock.binding, clock.subject, undefined)._tag).toBe("Allow")
  })

  it("is guarded per deployment and environment", () => {
    expect(rolloutGuard(scope)).not.toBe(rolloutGuard({ ...scope, environmentId: staging.id }))
  })
})
