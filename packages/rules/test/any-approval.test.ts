import type { AnyApproval } from "@sluice/domain/policy"
import type { Verdict } from "@sluice/domain/verdict"
import { describe, expect, it } from "vitest"
import { anyApproval } from "../src/any-approval.ts"
import { approvalSubject } from "../src/wait-subject.ts"
import { approved, at, boundRule, candidate, context, type Known, production, subject } from "./given.ts"

const judge = (
  body: AnyApproval,
  given: Known & { createdAt?: number; ruleCreatedAt?: number; author?: string; now?: number } = {},
): Verdict => {
  const version = candidate("1.1.0", {
    createdAt: given.createdAt ?? at("10:00"),
    ...(given.author === undefined ? {} : { createdBy: given.author }),
  })
  const known = {
    ...(given.approvals === undefined ? {} : { approvals: given.approvals }),
    ...(given.now === undefined ? {} : { now: given.now }),
  }
  const made = context([{ anyApproval: body, createdAt: given.ruleCreatedAt ?? at("00:00") }], {
    ...known,
    candidate: version,
  })
  return anyApproval(boundRule(made, "anyApproval"), made)
}

describe("an approval rule", () => {
  it("is satisfied by the deciding approval, not the last one (V-AP-1)", () => {
    const approvals = [approved("u3", "12:00"), approved("u1", "10:00"), approved("u2", "11:00")]
    expect(judge({ minApprovals: 2 }, { approvals })).toMatchObject({ _tag: "Allow", satisfiedAt: at("11:00") })
  })

  it("does not count a rejection (V-AP-2, V-AP-3)", () => {
    const approvals = [approved("u1", "10:00"), approved("u2", "11:00", "rejected")]
    expect(judge({ minApprovals: 2 }, { approvals })).toMatchObject({
      _tag: "Wait",
      action: "approval",
      reason: "1.1.0 needs 2 approvals for production, 1 of 2 given",
    })
    const alone = judge({ minApprovals: 1 }, { approvals: [approved("u1", "10:00", "rejected")] })
    expect(alone).toMatchObject({ _tag: "Wait", details: { approvers: [] } })
  })

  it.each([0, -1])("with a minimum of %i is no gate (V-AP-4)", minApprovals => {
    expect(judge({ minApprovals })).toEqual({ _tag: "Allow", satisfiedAt: at("10:00") })
  })

  it("lets a version through that is older than itself, to the second (V-AP-5)", () => {
    const older = judge({ minApprovals: 1 }, { approvals: [], createdAt: at("09:59:59"), ruleCreatedAt: at("10:00") })
    expect(older).toMatchObject({ _tag: "Allow", satisfiedAt: at("09:59:59") })
    const same = judge({ minApprovals: 1 }, { approvals: [], createdAt: at("10:00"), ruleCreatedAt: at("10:00") })
    expect(same._tag).toBe("Wait")
  })

  it("prefers enough approvals over the age of the version (V-AP-6)", () => {
    const old = { createdAt: at("09:00"), ruleCreatedAt: at("10:00") }
    const approvals = [approved("u1", "11:00"), approved("u2", "11:30"), approved("u3", "11:45")]
    expect(judge({ minApprovals: 3 }, { ...old, approvals: [] })).toMatchObject({ satisfiedAt: at("09:00") })
    expect(judge({ minApprovals: 3 }, { ...old, approvals })).toMatchObject({ satisfiedAt: at("11:45") })
  })

  it("counts a user once (V-AP-7)", () => {
    const approvals = [approved("u1", "10:00"), approved("u1", "11:00")]
    expect(judge({ minApprovals: 2 }, { approvals })._tag).toBe("Wait")
  })

  it("waits on approvals of its own environment and no other (V-AP-8)", () => {
    const scope = { deploymentId: subject().deployment.id, environmentId: production.id }
    expect(judge({ minApprovals: 1 }, { approvals: [] })).toMatchObject({ on: [approvalSubject(scope)] })
  })

  it("never allows when the approvals could not be read, and names what was missing", () => {
    const verdict = judge({ minApprovals: 1 })
    expect(verdict).toMatchObject({ _tag: "Wait" })
    expect(verdict).toHaveProperty("reason", expect.stringContaining("the approvals could not be read"))
  })

  it("denies after a rejection that vetoes, however many approved and however old the version is", () => {
    const approvals = [approved("u1", "10:00"), approved("u2", "11:00", "rejected")]
    const verdict = judge(
      { minApprovals: 1, rejectionVetoes: true },
      { approvals, createdAt: at("08:00"), ruleCreatedAt: at("09:00") },
    )
    expect(verdict).toMatchObject({ _tag: "Deny", reason: "1.1.0 was rejected for production" })
  })

  it("does not count the author where the rule says so", () => {
    const approvals = [approved("author", "10:00")]
    expect(judge({ minApprovals: 1, excludeAuthor: true }, { approvals, author: "author" })._tag).toBe("Wait")
    expect(judge({ minApprovals: 1 }, { approvals, author: "author" })._tag).toBe("Allow")
  })

  it("forgets an approval after the time it is good for, and says when that will be", () => {
    const approvals = [approved("u1", "10:00"), approved("u2", "10:20"), approved("u3", "10:40")]
    const body = { minApprovals: 2, expiresAfterMinutes: 60 }
    expect(judge(body, { approvals, now: at("10:50") })).toMatchObject({ _tag: "Allow", askAgainAt: at("11:20") })
    expect(judge(body, { approvals, now: at("11:19:59") })).toMatchObject({ _tag: "Allow", satisfiedAt: at("10:40") })
    expect(judge(body, { approvals, now: at("11:20") })).toMatchObject({ _tag: "Wait", details: { approvers: ["u3"] } })
  })

  it("waits on approvals by group, which this release does not evaluate", () => {
    const verdict = judge(
      { minApprovals: 0, required: [{ group: "sre", count: 1 }] },
      { approvals: [approved("u1", "10:00")] },
    )
    expect(verdict).toMatchObject({ _tag: "Wait" })
  })
})
