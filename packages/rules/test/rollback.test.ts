import type { Rollback } from "@sluice/domain/policy"
import { describe, expect, it } from "vitest"
import { countsFailedTargets, decideRollback, type Failure } from "../src/rollback.ts"

const verification: Failure = { _tag: "VerificationFailed", message: "errorRate was 0.3" }
const exhausted: Failure = { _tag: "TriesExhausted", outcome: "failure" }
const one = { environment: 1, deployment: 1 }
const decide = (rules: ReadonlyArray<Rollback>, failure: Failure, failed = one) => {
  const decision = decideRollback({ rules, failure, failed })
  return decision._tag === "RollBack" ? decision.scope : "stay"
}

describe("without a rollback rule", () => {
  it("a failed verification takes its own target back", () => {
    expect(decideRollback({ rules: [], failure: verification, failed: one })).toEqual({
      _tag: "RollBack",
      scope: "target",
      reason: "verification failed: errorRate was 0.3",
    })
  })

  it("a failed job stays where it is", () => {
    expect(decide([], exhausted)).toBe("stay")
  })
})

describe("a rollback rule", () => {
  it("takes back after failed tries too, if it names no statuses", () => {
    expect(decide([{}], exhausted)).toBe("target")
    expect(decide([{}], { _tag: "TriesExhausted", outcome: "cancelled" })).toBe("stay")
    expect(decide([{ onJobStatuses: ["cancelled"] }], { _tag: "TriesExhausted", outcome: "cancelled" })).toBe("target")
    expect(decide([{ onJobStatuses: [] }], exhausted)).toBe("stay")
  })

  it("switches the default off", () => {
    expect(decide([{ onVerificationFailure: false }], verification)).toBe("stay")
  })

  it.each(["target", "environment", "deployment"] as const)("reaches as far as its scope %s", scope => {
    expect(decide([{ scope }], verification)).toBe(scope)
  })

  it("widens only at its threshold; below, the failed target alone goes back", () => {
    const rule: Rollback = { scope: "environment", failedTargets: 2 }
    expect(decide([rule], verification, { environment: 1, deployment: 5 })).toBe("target")
    expect(decide([rule], verification, { environment: 2, deployment: 2 })).toBe("environment")
    expect(countsFailedTargets([rule])).toBe(true)
    expect(countsFailedTargets([{ scope: "environment" }])).toBe(false)
  })

  it("beside others: the widest that triggers wins", () => {
    const rules: ReadonlyArray<Rollback> = [
      { scope: "deployment", onVerificationFailure: false },
      { scope: "environment" },
      { scope: "target" },
    ]
    expect(decide(rules, verification)).toBe("environment")
    expect(decide(rules, exhausted)).toBe("deployment")
  })
})
