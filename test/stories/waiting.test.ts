/** What holds a version back, and that it says so: approvals, progression, selectors, statuses. */
import { type Installation, openInstallation } from "@sluice/testkit/installation"
import { judge } from "@sluice/testkit/installation-judge"
import { given, when } from "@sluice/testkit/story"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

let here: Installation
beforeAll(async () => {
  here = await openInstallation()
})
afterAll(async () => {
  await here?.close()
})

describe("a version that needs an approval", () => {
  const guarded = () =>
    given(here)
      .targets("eu")
      .policy({ anyApproval: { minApprovals: 1 } })

  it("waits and says for whom, then runs once a person approved it", async () => {
    const scene = await guarded()
      .when.versionArrives("1.0.0")
      .then.waits("eu", "anyApproval", /0 of 1 given/)
    const why = await scene.why("eu")
    expect(why.phase).toBe("waiting")
    expect(why.answer.blocked).toMatchObject({ rule: "anyApproval", action: "approval", tag: "1.0.0" })
    expect(why.answer.blocked.waitsOn).toHaveLength(1)
    await when(scene).personApproves("1.0.0").then.runs("eu", "1.0.0")
    const { items } = await scene.history("eu")
    expect(items.map((item: { phase: string }) => item.phase)).toContain("waiting")
  })

  it("answers what held it at an earlier moment", async () => {
    const scene = await guarded()
      .when.versionArrives("1.0.0")
      .then.waits("eu", "anyApproval", /0 of 1 given/)
    const { at } = await scene.why("eu")
    await when(scene).personApproves("1.0.0").then.runs("eu", "1.0.0")
    const then = await here.api.get(`W/release-targets/${scene.target("eu").key}/why?at=${encodeURIComponent(at)}`)
    expect(then.answer.blocked.rule).toBe("anyApproval")
    expect((await scene.why("eu")).answer.blocked).toBeUndefined()
  })

  it("is not approved by a rejection", async () => {
    const scene = await given(here)
      .targets("eu")
      .policy({ anyApproval: { minApprovals: 1, rejectionVetoes: true } })
      .when.versionArrives("1.0.0")
      .and.personApproves("1.0.0", "rejected")
      .then.waits("eu", "anyApproval", /rejected/)
    await when(scene)
      .versionArrives("1.1.0")
      .and.personApproves("1.1.0")
      .then.runs("eu", "1.1.0")
      .and.neverRan("eu", "1.0.0")
  })
})

describe("a version that must succeed in staging first", () => {
  const staged = () =>
    given(here)
      .targetsIn("staging", "s1", "s2")
      .targets("eu")
      .policy({
        environmentProgression: {
          dependsOnEnvironmentSelector: 'environment.name == "staging-$story"',
          minimumSuccessPercentage: 100,
        },
      })

  it("reaches production after all of staging", async () => {
    const scene = await staged().when.versionArrives("1.0.0").then.runs("eu", "1.0.0")
    const record = async (name: string) => (await scene.history(name)).versions[0]
    const { startedAt } = await record("eu")
    for (const name of ["s1", "s2"]) expect((await record(name)).settledAt <= startedAt, name).toBe(true)
  })

  it("stays out of production while staging fails, and says so", async () => {
    const scene = await given(here)
      .targetsIn("staging", "s1")
      .targets("eu")
      .agent("test-runner", { delaySeconds: 0, status: "failure" })
      .policy({ environmentProgression: { dependsOnEnvironmentSelector: 'environment.name == "staging-$story"' } })
      .when.versionArrives("1.0.0")
      .then.lastJobIs("s1", "failure")
      .and.waits("eu", "environmentProgression", /staging/)
      .and.neverRan("eu", "1.0.0")
    expect(await scene.jobs("eu")).toEqual([])
  })
})

describe("a version that a selector does not match", () => {
  it("is passed over for an older one that matches, and says why", async () => {
    await given(here)
      .targets("eu")
      .policy({ versionSelector: { selector: 'version.tag.startsWith("1.")', description: "first major only" } })
      .when.versionArrives("1.4.0")
      .and.versionArrives("2.0.0")
      .then.runs("eu", "1.4.0")
      .and.waits("eu", "versionSelector", /first major only/)
      .and.neverRan("eu", "2.0.0")
  })
})

describe("a version's status", () => {
  it("holds it back while it builds, and lets it go when it is ready", async () => {
    const scene = await given(here)
      .targets("eu")
      .when.versionArrives("1.0.0", { status: "building" })
      .then.waits("eu", "versionStatus", /still building/)
    await when(scene).statusBecomes("1.0.0", "ready").then.runs("eu", "1.0.0")
  })

  it("keeps a paused version where it has been released, and out of everywhere else", async () => {
    const scene = await given(here)
      .targetsIn("staging", "s1")
      .targets("eu")
      .policy({ anyApproval: { minApprovals: 1 } })
      .when.versionArrives("1.0.0")
      .then.runs("s1", "1.0.0")
    await when(scene)
      .statusBecomes("1.0.0", "paused")
      .and.personApproves("1.0.0")
      .then.waits("eu", "versionStatus", /paused/)
      .and.runs("s1", "1.0.0")
      .and.neverRan("eu", "1.0.0")
    await when(scene).statusBecomes("1.0.0", "ready").then.runs("eu", "1.0.0")
  })

  it("never runs a rejected version", async () => {
    await given(here)
      .targets("eu")
      .running("1.0.0")
      .when.versionArrives("1.1.0", { status: "rejected" })
      .then.waits("eu", "versionStatus", /rejected/)
      .and.runs("eu", "1.0.0")
      .and.neverRan("eu", "1.1.0")
  })
})

describe("the journal of these stories", () => {
  it("keeps every promise", async () => {
    const report = await judge(here)
    expect(report.promises.P5.checked).toBeGreaterThan(10)
  })
})
