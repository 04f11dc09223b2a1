import { describe, expect, it } from "vitest"
import { bind } from "../src/bind.ts"
import { mergeNeeds } from "../src/facts.ts"
import { needsOf } from "../src/needs.ts"
import { expressions } from "./expressions.ts"
import { candidate, environmentNamed, policy, production, staging, subject } from "./given.ts"

const candidates = [candidate("1.1.0", { suffix: "f2" }), candidate("1.0.0", { suffix: "f1" })]
const needs = (policies: Parameters<typeof bind>[0], resourceSuffix = "a1") => {
  const target = subject({ resourceSuffix, siblings: [staging, environmentNamed("qa", "e7")] })
  return needsOf({ subject: target, binding: bind(policies, target, expressions), candidates, expressions })
}

describe("what has to be read for a target", () => {
  it("is quarantine alone where no policy binds it", () => {
    const alone = needs([])
    expect(alone).toMatchObject({ approvals: [], progressions: [], rollouts: [] })
    expect(alone.quarantines.map(({ versionId }) => versionId)).toEqual(candidates.map(({ version }) => version.id))
  })

  it("follows from the rules that bind it, per candidate and environment depended on", () => {
    const all = needs([
      policy([
        { anyApproval: { minApprovals: 1 } },
        { anyApproval: { minApprovals: 2 } },
        { environmentProgression: { dependsOnEnvironmentSelector: `environment.name == "staging"` } },
        { gradualRollout: { rolloutType: "verified", maxConcurrent: 3 } },
      ]),
    ])
    expect(all.approvals.map(({ environmentId }) => environmentId)).toEqual([production.id, production.id])
    expect(all.progressions.map(({ environmentId }) => environmentId)).toEqual([staging.id, staging.id])
    expect(all.rollouts).toMatchObject([{ clock: false, verified: true, unsettledMax: 3 }, { verified: true }])
  })

  it("is read once for a batch where targets share it, and per target where it is the target's own", () => {
    const policies = [policy([{ anyApproval: { minApprovals: 1 } }, { gradualRollout: { rolloutType: "linear" } }])]
    const merged = mergeNeeds([needs(policies, "a1"), needs(policies, "a2")])
    expect(merged.approvals).toHaveLength(candidates.length)
    expect(merged.rollouts).toHaveLength(2 * candidates.length)
  })

  it("is shared by rules that ask the same, and apart for those that ask otherwise", () => {
    const progression = { dependsOnEnvironmentSelector: `environment.name == "staging"` }
    const rules = [
      progression,
      { ...progression, minimumSoakTimeMinutes: 5 },
      { ...progression, requireVerificationPassed: true },
    ]
    const { progressions } = needs([policy(rules.map(environmentProgression => ({ environmentProgression })))])
    expect(progressions).toHaveLength(2 * candidates.length)
  })
})
