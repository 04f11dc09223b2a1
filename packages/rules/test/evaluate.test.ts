import type { Policy } from "@sluice/domain/policy"
import { describe, expect, it } from "vitest"
import { sameAnswer } from "../src/answer.ts"
import { answerCandidatesMax, candidatesMax, type Evaluating, evaluate, nextWindow } from "../src/evaluate.ts"
import { approvalKey, type Candidate, type Facts, quarantineKey, rolloutKey, type TargetHistory } from "../src/facts.ts"
import { approvalSubject, policiesSubject, rollbackSubject } from "../src/wait-subject.ts"
import { approved, at, candidate, evaluating, fresh, noFacts, policy, production, subject } from "./given.ts"

const v1 = candidate("1.0.0", { suffix: "f1", createdAt: at("08:00") })
const v2 = candidate("1.1.0", { suffix: "f2", createdAt: at("09:00") })
const v3 = candidate("1.2.0", { suffix: "f3", createdAt: at("10:00") })
const newestFirst = [v3, v2, v1]
const rejected = (of: Candidate): Candidate => ({ ...of, version: { ...of.version, status: "rejected" } })
const runs = (of: Candidate, more: Partial<TargetHistory> = {}): TargetHistory => ({
  ...fresh,
  currentVersionId: of.version.id,
  lastStartedVersionId: of.version.id,
  releasedVersionIds: [of.version.id],
  ...more,
})
const quarantinedHere = (of: Candidate) => ({ quarantined: [{ versionId: of.version.id, reason: "errorRate", at: 1 }] })

const needsApproval = policy([{ anyApproval: { minApprovals: 1 } }], { name: "production needs a yes" })
/** Approvals were read for all three versions; those named have one. */
const approvalsOf = (...given: ReadonlyArray<Candidate>): Facts => ({
  ...noFacts,
  approvals: new Map(
    newestFirst.map(of => [
      approvalKey({ versionId: of.version.id, environmentId: production.id }),
      given.includes(of) ? [approved("u1", "11:00")] : [],
    ]),
  ),
})
const judge = (more: Parameters<typeof evaluating>[0]) => evaluate(evaluating({ candidates: newestFirst, ...more }))
const desiredTag = (more: Parameters<typeof evaluating>[0]) => judge(more).desired?.candidate.version.tag

describe("a target that runs nothing yet", () => {
  it("wants the newest version when nothing binds it, and waits only for a rollback of a wider scope", () => {
    const evaluation = judge({})
    expect(evaluation.desired).toEqual({ candidate: v3, alreadyStarted: false })
    const { id: deploymentId } = subject().deployment
    expect(evaluation.waitsOn).toEqual(
      [rollbackSubject({ deploymentId, environmentId: production.id }), rollbackSubject({ deploymentId })].sort(),
    )
    expect(evaluation.answer).not.toHaveProperty("blocked")
  })

  it("wants an older version while the newest is held", () => {
    expect(desiredTag({ policies: [needsApproval], facts: approvalsOf(v2, v1) })).toBe("1.1.0")
  })

  it("wants nothing where there is no version, and where every version is denied (V-PL-4)", () => {
    expect(judge({ candidates: [] })).toMatchObject({ needsMore: false, answer: { candidates: [] } })
    const evaluation = judge({ candidates: newestFirst.map(rejected) })
    expect(evaluation).not.toHaveProperty("desired")
    expect(evaluation.answer.blocked).toMatchObject({ rule: "versionStatus", reason: "1.2.0 was rejected" })
  })
})

describe("a target that runs a version", () => {
  it("wants the newest approved one above it (V-PL-1), and the newest once that is approved (V-PL-2)", () => {
    const history = runs(v1)
    const policies = [needsApproval]
    expect(desiredTag({ history, policies, facts: approvalsOf(v2) })).toBe("1.1.0")
    expect(desiredTag({ history, policies, facts: approvalsOf(v2, v3) })).toBe("1.2.0")
  })

  it("keeps it when an approval, a selector or a status lapses, and judges none of its rules again (T-7)", () => {
    const selector = policy([{ versionSelector: { selector: `version.tag == "none"` } }], { suffix: "b2" })
    const building: Candidate = { ...v2, version: { ...v2.version, status: "building" } }
    const evaluation = judge({
      candidates: [v3, building, v1],
      history: runs(v2),
      policies: [needsApproval, selector],
      facts: approvalsOf(v1),
    })
    expect(evaluation.desired).toEqual({ candidate: building, alreadyStarted: true })
    expect(evaluation.answer.candidates.at(-1)?.verdicts).toEqual([{ rule: "alreadyStarted", verdict: "allow" }])
  })

  it("keeps the version it has started last, even though that try failed and another one runs", () => {
    const history = runs(v1, { lastStartedVersionId: v2.version.id })
    expect(desiredTag({ history, policies: [needsApproval], facts: approvalsOf(v1) })).toBe("1.1.0")
  })

  it("leaves a version that was rejected for the newest older one that passes (V-PL-5, T-5), and returns (V-PL-6)", () => {
    const history = runs(v2)
    expect(desiredTag({ candidates: [rejected(v2), v1], history })).toBe("1.0.0")
    const older = judge({ candidates: [rejected(v2), v1], history, policies: [needsApproval], facts: approvalsOf() })
    expect(older).not.toHaveProperty("desired")
    expect(desiredTag({ candidates: [v2, v1], history: runs(v1) })).toBe("1.1.0")
  })

  it("leaves a version that is quarantined, here or by a wider scope", () => {
    const candidates = [v2, v1]
    expect(desiredTag({ candidates, history: runs(v2, quarantinedHere(v2)) })).toBe("1.0.0")
    const { id: deploymentId } = subject().deployment
    const key = quarantineKey({ versionId: v2.version.id, environmentId: production.id, deploymentId })
    const quarantines = new Map([[key, { scope: "environment" as const, reason: "errorRate", at: 1 }]])
    const evaluation = judge({ candidates, history: runs(v2), facts: { ...noFacts, quarantines } })
    expect(evaluation.desired?.candidate.version.tag).toBe("1.0.0")
    expect(evaluation.answer.blocked).toMatchObject({ rule: "quarantine", tag: "1.1.0" })
  })

  it("returns to a version it ran before without asking that version's rules again", () => {
    const history: TargetHistory = { ...runs(v1, quarantinedHere(v2)), lastStartedVersionId: v2.version.id }
    const evaluation = judge({ candidates: [v2, v1], history, policies: [needsApproval], facts: approvalsOf() })
    expect(evaluation.desired).toEqual({ candidate: v1, alreadyStarted: true })
  })

  it("keeps a paused version, but takes none that is paused elsewhere", () => {
    const paused: Candidate = { ...v2, version: { ...v2.version, status: "paused" } }
    expect(desiredTag({ candidates: [paused, v1], history: runs(v2) })).toBe("1.1.0")
    expect(desiredTag({ candidates: [paused, v1], history: runs(v1) })).toBe("1.0.0")
  })
})

describe("several policies", () => {
  it("must all allow; a disabled one has no say, and priority decides nothing (T-8)", () => {
    const selector = policy([{ versionSelector: { selector: `version.tag == "1.1.0"` } }], {
      suffix: "b2",
      priority: 100,
    })
    const off = policy([{ anyApproval: { minApprovals: 5 } }], { suffix: "b3", enabled: false })
    const policies = [needsApproval, selector, off]
    expect(desiredTag({ policies, facts: approvalsOf(v2, v3) })).toBe("1.1.0")
    expect(desiredTag({ policies, facts: approvalsOf(v3) })).toBeUndefined()
  })

  it("are all heard, without stopping at the first no, and in their order", () => {
    const selector = policy([{ versionSelector: { selector: "false" } }], { suffix: "b2", priority: 100 })
    const [newest] = judge({ policies: [needsApproval, selector], facts: approvalsOf(v1) }).answer.candidates
    expect(newest?.verdicts.map(({ rule, verdict }) => `${rule} ${verdict}`)).toEqual([
      "versionSelector deny",
      "anyApproval wait",
    ])
  })

  it.each([
    ["deploymentWindow", { deploymentWindow: { rrule: "FREQ=DAILY", durationMinutes: 60 } }],
    ["versionCooldown", { versionCooldown: { intervalSeconds: 60 } }],
    ["deploymentDependency", { deploymentDependency: { dependsOn: "true" } }],
    ["concurrency", { concurrency: { maxActive: 1 } }],
  ] as const)("with a %s rule, which this release does not evaluate, hold the target and say so", (kind, body) => {
    const evaluation = judge({ policies: [policy([body])] })
    expect(evaluation).not.toHaveProperty("desired")
    expect(evaluation.answer.blocked?.reason).toBe(`this release of Sluice does not evaluate ${kind} rules yet`)
  })

  it("are not held by rules that speak after a start, or only advise", () => {
    const rules = [{ retry: { maxRetries: 0 } }, { rollback: {} }, { planValidationOpa: { name: "p", rego: "deny" } }]
    expect(desiredTag({ policies: [policy(rules)] })).toBe("1.2.0")
  })

  it("with one that cannot be used hold the target and name it", () => {
    const evaluation = judge({ policies: [policy([], { selector: "((", name: "odd" })] })
    expect(evaluation).not.toHaveProperty("desired")
    expect(evaluation.answer.blocked).toMatchObject({ rule: "policy", reason: expect.stringContaining(`policy "odd"`) })
    expect(evaluation.waitsOn).toContain(policiesSubject(subject().workspaceId))
  })

  it("hold a version that depends on others, which this release does not evaluate", () => {
    const depends: Candidate = { ...v3, dependsOn: ["db"] }
    expect(desiredTag({ candidates: [depends, v1] })).toBe("1.0.0")
  })
})

describe("the answer", () => {
  const waiting = (more: Partial<Evaluating> & { policies?: ReadonlyArray<Policy> } = {}) =>
    judge({ policies: [needsApproval], facts: approvalsOf(), ...more })

  it("says which rule of which policy holds the newest version, who must act, and what is waited on", () => {
    const scope = { deploymentId: subject().deployment.id, environmentId: production.id }
    expect(waiting().answer.blocked).toEqual({
      versionId: v3.version.id,
      tag: "1.2.0",
      rule: "anyApproval",
      ruleId: "rule-b1-0",
      policyId: needsApproval.id,
      reason: "1.2.0 needs an approval for production, 0 of 1 given",
      action: "approval",
      waitsOn: [approvalSubject(scope)],
    })
  })

  it("is the same at another moment when nothing happened, survives JSON, and differs when something did", () => {
    const first = waiting().answer
    expect(sameAnswer(first, waiting({ now: at("13:00") }).answer)).toBe(true)
    expect(sameAnswer(first, JSON.parse(JSON.stringify(first)))).toBe(true)
    expect(sameAnswer(first, waiting({ facts: approvalsOf(v3) }).answer)).toBe(false)
    expect(sameAnswer(undefined, first)).toBe(false)
  })

  it("names the earliest later moment of all versions that were looked at", () => {
    const rollout = policy([{ gradualRollout: { rolloutType: "linear", timeScaleInterval: 7200 } }])
    const facts: Facts = {
      ...noFacts,
      rollouts: new Map(
        newestFirst.map(({ version }) => [
          rolloutKey({ versionId: version.id, targetKey: subject().key }),
          { failed: 0, clock: { position: 2, total: 3 } },
        ]),
      ),
    }
    // Place 2 is due four hours after each version: 14:00, 13:00 and, already past, 12:00.
    const evaluation = judge({ policies: [rollout], facts, now: at("11:30") })
    expect(evaluation.askAgainAt).toBe(at("12:00"))
    const later = judge({ policies: [rollout], facts, now: at("12:30") })
    expect(later.desired?.candidate.version.tag).toBe("1.0.0")
    expect(later.askAgainAt).toBe(at("13:00"))
  })

  it("shows a halted rollout before the quarantine of the environment, and the target's own quarantine before both", () => {
    const verified = policy([{ gradualRollout: { rolloutType: "verified" } }])
    const { id: deploymentId } = subject().deployment
    const versionId = v2.version.id
    const facts: Facts = {
      ...noFacts,
      rollouts: new Map([[rolloutKey({ versionId, targetKey: subject().key }), { failed: 1 }]]),
      quarantines: new Map([
        [
          quarantineKey({ versionId, deploymentId, environmentId: production.id }),
          { scope: "environment", reason: "errorRate", at: 1 },
        ],
      ]),
    }
    const given = { candidates: [v2, v1], policies: [verified], facts }
    const untouched = judge({ ...given, history: runs(v1) })
    expect(untouched.answer.blocked?.reason).toBe("rollout halted, 1 of 0 failures allowed")
    expect(untouched.answer.candidates[0]?.verdicts.map(({ rule }) => rule)).toEqual(["gradualRollout", "quarantine"])
    const failed = judge({ ...given, history: runs(v1, quarantinedHere(v2)) })
    expect(failed.answer.blocked?.rule).toBe("quarantine")
  })
})

describe("many versions", () => {
  const many = Array.from({ length: candidatesMax }, (_, index) =>
    candidate(`${index}`, { suffix: `${index}`, createdAt: at("10:00") - index, status: "building" }),
  )

  it("ask for more only when none of those loaded will do", () => {
    expect(judge({ candidates: many.slice(0, 4), moreCandidates: true }).needsMore).toBe(true)
    expect(judge({ candidates: many.slice(0, 4), moreCandidates: false }).needsMore).toBe(false)
    expect(judge({ moreCandidates: true }).needsMore).toBe(false)
  })

  it("are looked at up to a bound, beyond which the answer says so", () => {
    const evaluation = judge({ candidates: [...many, v1], moreCandidates: true })
    expect(evaluation).toMatchObject({ needsMore: false })
    expect(evaluation).not.toHaveProperty("desired")
    expect(evaluation.answer.note).toContain("only the newest 200 versions were looked at")
    expect(evaluation.answer.candidates.length).toBeLessThan(answerCandidatesMax)
  })

  it("are loaded in growing windows that end at the bound", () => {
    const windows = [nextWindow()]
    while ((windows.at(-1) as number) < candidatesMax) windows.push(nextWindow(windows.at(-1)))
    expect(windows).toEqual([4, 28, 196, 200])
  })
})
