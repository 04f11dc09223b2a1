import type { VersionStatus } from "@sluice/domain/version"
import { describe, expect, it } from "vitest"
import { quarantineKey } from "../src/facts.ts"
import { ownQuarantine, scopeQuarantine } from "../src/quarantine.ts"
import { versionSelector } from "../src/version-selector.ts"
import { versionStatusGate } from "../src/version-status.ts"
import { rollbackSubject } from "../src/wait-subject.ts"
import { at, boundRule, candidate, context, fresh, production, staging, subject } from "./given.ts"

describe("a version selector", () => {
  const judge = (selector: string, given: Parameters<typeof candidate> | [] = [], environment = production) => {
    const chosen = candidate(given[0] ?? "v1.2.3", given[1] ?? {})
    const made = context([{ versionSelector: { selector, description: "releases only" } }], {
      candidate: chosen,
      subject: subject({ environment }),
    })
    return versionSelector(boundRule(made, "versionSelector"), made)
  }

  it("allows the versions that match and denies the others (V-VS-1)", () => {
    const selector = `version.tag.startsWith("v2.")`
    expect(judge(selector, ["v2.9"])._tag).toBe("Allow")
    expect(judge(selector, ["v3.0"])).toMatchObject({
      _tag: "Deny",
      reason: `v3.0 does not match releases only (version.tag.startsWith("v2."))`,
    })
  })

  it("denies a version that lacks the key, and names the key (V-VS-2)", () => {
    const verdict = judge(`version.metadata["branch"] == "main"`)
    expect(verdict).toMatchObject({ _tag: "Deny", reason: expect.stringContaining("branch") })
    expect(judge(`version.metadata["branch"] == "main"`, ["v1", { metadata: { branch: "main" } }])._tag).toBe("Allow")
  })

  it("sees the environment beside the version (V-VS-3)", () => {
    const selector = `environment.name != "production" || version.tag.matches("^v\\\\d+\\\\.\\\\d+\\\\.\\\\d+$")`
    expect(judge(selector, ["v1.2.3-rc1"])._tag).toBe("Deny")
    expect(judge(selector, ["v1.2.3"])._tag).toBe("Allow")
    expect(judge(selector, ["v1.2.3-rc1"], staging)._tag).toBe("Allow")
  })

  it.each(["", "version.tag ==", "versoin.tag == 'x'", "size(version.tag)", "version.tag > 3"])(
    "denies when %j cannot be evaluated",
    selector => {
      expect(judge(selector)).toMatchObject({ _tag: "Deny", reason: expect.stringContaining("cannot be evaluated") })
    },
  )
})

describe("the status of a version", () => {
  const judge = (status: VersionStatus, released: boolean) => {
    const chosen = candidate("1.1.0", { status })
    const history = { ...fresh, releasedVersionIds: released ? [chosen.version.id] : [] }
    return versionStatusGate({ candidate: chosen, history })._tag
  }

  it.each([
    ["ready", "Allow", "Allow"],
    ["paused", "Deny", "Allow"],
    ["building", "Deny", "Deny"],
    ["failed", "Deny", "Deny"],
    ["rejected", "Deny", "Deny"],
    ["unspecified", "Deny", "Deny"],
  ] as const)("%s: %s where it was never released, %s where it was", (status, never, released) => {
    expect(judge(status, false)).toBe(never)
    expect(judge(status, true)).toBe(released)
  })
})

describe("quarantine", () => {
  const made = context([])
  const versionId = made.candidate.version.id

  it("of the target itself denies that version here, with its reason, and no other", () => {
    const entry = { versionId, reason: "verification failed: errorRate was 0.3", at: at("11:00") }
    const history = { ...fresh, quarantined: [entry] }
    expect(ownQuarantine({ ...made, history })).toMatchObject({
      _tag: "Deny",
      reason: expect.stringContaining("errorRate was 0.3"),
    })
    expect(ownQuarantine({ ...made, history, candidate: candidate("1.2.0", { suffix: "f2" }) })._tag).toBe("Allow")
  })

  it.each(["environment", "deployment"] as const)("of the %s denies, and waits for its release there", scope => {
    const { id: deploymentId } = made.subject.deployment
    const environmentId = made.subject.environment.id
    const key = quarantineKey({ versionId, environmentId, deploymentId })
    const facts = { ...made.facts, quarantines: new Map([[key, { scope, reason: "r", at: at("11:00") }]]) }
    expect(scopeQuarantine({ ...made, facts })).toMatchObject({
      _tag: "Deny",
      on: [rollbackSubject(scope === "environment" ? { deploymentId, environmentId } : { deploymentId })],
    })
    expect(scopeQuarantine(made)._tag).toBe("Allow")
  })
})
