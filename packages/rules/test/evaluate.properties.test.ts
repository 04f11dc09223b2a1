import type { Approval, Policy, RuleBodies } from "@sluice/domain/policy"
import type { VersionStatus } from "@sluice/domain/version"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { bind } from "../src/bind.ts"
import { type Evaluating, evaluate } from "../src/evaluate.ts"
import { type Candidate, type Facts, mergeNeeds, type RolloutFacts } from "../src/facts.ts"
import { needsOf } from "../src/needs.ts"
import { expressions } from "./expressions.ts"
import { at, candidate, evaluating, policy, staging, subject } from "./given.ts"

const rule: fc.Arbitrary<RuleBodies> = fc.oneof(
  fc.record({ minApprovals: fc.integer({ min: 0, max: 3 }) }).map(anyApproval => ({ anyApproval })),
  fc
    .constantFrom("true", "false", `version.tag == "2"`, `version.metadata["no"] == "x"`, "((")
    .map(selector => ({ versionSelector: { selector } })),
  fc
    .record({ minimumSoakTimeMinutes: fc.nat(240), minimumSuccessPercentage: fc.nat(100) })
    .map(body => ({ environmentProgression: { dependsOnEnvironmentSelector: "true", ...body } })),
  fc
    .record({
      rolloutType: fc.constantFrom("linear" as const, "linear-normalized" as const, "verified" as const),
      timeScaleInterval: fc.nat(7200),
    })
    .map(gradualRollout => ({ gradualRollout })),
  fc.constant({ versionCooldown: { intervalSeconds: 1 } }),
  fc.constant({ retry: { maxRetries: 1 } }),
)
const selector = fc.constantFrom(
  "true",
  "false",
  `environment.name == "production"`,
  `resource.metadata["x"] == "y"`,
  "((",
)
const somePolicy = (suffix: string): fc.Arbitrary<Policy> =>
  fc
    .record({ rules: fc.array(rule, { maxLength: 3 }), selector, priority: fc.nat(2), enabled: fc.boolean() })
    .map(({ rules, ...more }) => policy(rules, { suffix, ...more }))
const policies = fc.tuple(...["b1", "b2", "b3"].map(somePolicy))

const status = fc.constantFrom<VersionStatus>("ready", "ready", "ready", "paused", "rejected", "building")
const versions: fc.Arbitrary<ReadonlyArray<Candidate>> = fc
  .array(status, { minLength: 1, maxLength: 5 })
  .map(statuses =>
    statuses.map((each, index) =>
      candidate(`${index}`, { suffix: `f${index}`, createdAt: at("09:00") - index * 60_000, status: each }),
    ),
  )

/** Facts for whatever is needed, drawn from `seed`; a few are missing. */
const answer = (seed: ReadonlyArray<number>, evaluation: Evaluating): Facts => {
  const needs = mergeNeeds([needsOf(evaluation)])
  let turn = 0
  const draw = (below: number) => (seed[turn++ % seed.length] ?? 0) % below
  const approvalsOf = (): ReadonlyArray<Approval> =>
    Array.from({ length: draw(4) }, (_, index) => ({
      userId: `u${index}`,
      status: draw(4) === 0 ? "rejected" : "approved",
      createdAt: at("09:30") + draw(100) * 60_000,
    }))
  const rolloutOf = (): RolloutFacts => ({
    failed: draw(3) === 0 ? 1 : 0,
    clock: { position: draw(5), total: 5 },
    verified: { position: 0, total: 5, unsettledAhead: [], unsettledAheadCount: 0, activeOthers: draw(2) },
  })
  const known = <Need extends { readonly key: string }, Fact>(list: ReadonlyArray<Need>, make: () => Fact) =>
    new Map(list.filter(() => draw(10) !== 0).map(need => [need.key, make()]))
  return {
    approvals: known(needs.approvals, approvalsOf),
    progressions: known(needs.progressions, () => {
      const kthSuccessAt = at("09:30") + draw(100) * 60_000
      return { targets: 2, succeeded: draw(3), kthSuccessAt, latestOfEarliestSuccessAt: kthSuccessAt }
    }),
    rollouts: known(needs.rollouts, rolloutOf),
    quarantines: new Map(
      needs.quarantines
        .filter(() => draw(6) === 0)
        .map(need => [need.key, { scope: "environment" as const, reason: "r", at: 1 }]),
    ),
  }
}

const target = subject({ siblings: [staging] })
const world = fc
  .record({
    candidates: versions,
    policies,
    seed: fc.array(fc.nat(1000), { minLength: 20, maxLength: 40 }),
    now: fc.integer({ min: at("09:00"), max: at("14:00") }),
    current: fc.nat(8),
    lastStarted: fc.nat(8),
  })
  .map(({ candidates, policies: made, seed, now, current, lastStarted }) => {
    const [runs, started] = [candidates[current]?.version.id, candidates[lastStarted]?.version.id]
    const history = {
      releasedVersionIds: [],
      quarantined: [],
      ...(runs === undefined ? {} : { currentVersionId: runs }),
      ...(started === undefined ? {} : { lastStartedVersionId: started }),
    }
    const given = evaluating({ subject: target, policies: made, candidates, now, history })
    return { policies: made, evaluating: { ...given, facts: answer(seed, given) } }
  })
const rankOf = (given: Evaluating): number => {
  const desired = evaluate(given).desired
  return desired === undefined ? Number.POSITIVE_INFINITY : given.candidates.indexOf(desired.candidate)
}

describe("the fold over candidates, whatever policies and facts there are", () => {
  it("gives the same answer whatever order policies were read in", () => {
    fc.assert(
      fc.property(world, fc.integer(), ({ policies: made, evaluating: given }, turn) => {
        const turned = [...made.slice(Math.abs(turn) % 3), ...made.slice(0, Math.abs(turn) % 3)]
        const again = { ...given, binding: bind(turned, given.subject, expressions) }
        expect(evaluate(again)).toEqual(evaluate(given))
      }),
    )
  })

  it("never allows more when a policy is added: the version wanted is the same, an older one, or none", () => {
    fc.assert(
      fc.property(world, ({ policies: made, evaluating: given }) => {
        for (const left of made) {
          const fewer = bind(
            made.filter(one => one !== left),
            given.subject,
            expressions,
          )
          expect(rankOf(given)).toBeGreaterThanOrEqual(rankOf({ ...given, binding: fewer }))
        }
      }),
      { numRuns: 300 },
    )
  })

  it("never wants a version older than one that runs or was started, unless that was rejected or quarantined", () => {
    fc.assert(
      fc.property(world, ({ evaluating: given }) => {
        const kept = given.candidates.findIndex(({ version }) => {
          const { currentVersionId, lastStartedVersionId } = given.history
          const quarantined = [...given.facts.quarantines.keys()].some(key => key.startsWith(version.id))
          const here = version.id === currentVersionId || version.id === lastStartedVersionId
          return here && version.status !== "rejected" && !quarantined
        })
        if (kept >= 0) expect(rankOf(given)).toBeLessThanOrEqual(kept)
      }),
    )
  })

  it("always names what holds the newest version that is not wanted, and what is waited on", () => {
    fc.assert(
      fc.property(world, ({ evaluating: given }) => {
        const { answer: said, desired, askAgainAt } = evaluate(given)
        if (desired?.candidate === given.candidates[0]) expect(said).not.toHaveProperty("blocked")
        else {
          expect(said.blocked?.versionId).toBe(given.candidates[0]?.version.id)
          expect(said.blocked?.reason).not.toBe("")
          expect(said.waitsOn).toEqual(expect.arrayContaining([...(said.blocked?.waitsOn ?? [])]))
        }
        if (askAgainAt !== undefined) expect(askAgainAt).toBeGreaterThan(given.now)
      }),
    )
  })

  it("holds a target on facts that are not there: with none read, no rule that needs one allows", () => {
    fc.assert(
      fc.property(world, ({ evaluating: given }) => {
        const blind = {
          ...given,
          facts: { ...given.facts, approvals: new Map(), progressions: new Map(), rollouts: new Map() },
        }
        const asks = given.binding.rules.some(
          ({ kind, body }) =>
            kind === "gradualRollout" ||
            kind === "environmentProgression" ||
            ("minApprovals" in body && body.minApprovals > 0),
        )
        const { desired } = evaluate(blind)
        if (asks && desired !== undefined) expect(desired.alreadyStarted).toBe(true)
      }),
    )
  })
})
