/** A version that is not well: verification, the return to the last known-good release, rollouts that halt, retries. */
import { type Installation, openInstallation } from "@sluice/testkit/installation"
import { judge } from "@sluice/testkit/installation-judge"
import { given, when } from "@sluice/testkit/story"
import type { Scene } from "@sluice/testkit/story-scene"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

let here: Installation
beforeAll(async () => {
  here = await openInstallation()
})
afterAll(async () => {
  await here?.close()
})

const verified = { gradualRollout: { rolloutType: "verified", maxConcurrent: 1, maxFailures: 0 } } as const

/** Targets in the order in which a version started on them. */
const startedWith = (scene: Scene, tag: string): ReadonlyArray<string> => {
  const names = new Map([...scene.targets].map(([name, target]) => [target.key as string, name]))
  return here.feed.events
    .filter(
      event =>
        event.type === "target.deploying" && names.has(event.subject) && JSON.stringify(event.data).includes(tag),
    )
    .map(event => names.get(event.subject) ?? "")
}

describe("a version whose check fails", () => {
  it("goes back to the last known-good release by itself, on the target that failed alone", async () => {
    const scene = await given(here)
      .targets("eu", "us")
      .verified()
      .running("1.3.9")
      .when.versionArrives("1.4.0")
      .and.checkFails("eu", "1.4.0")
      .then.runs("eu", "1.3.9")
      .and.runs("us", "1.4.0")
    const { sluice } = await scene.state("eu")
    const { id } = await scene.version("1.4.0")
    expect(sluice.quarantined).toMatchObject([
      { versionId: id, reason: expect.stringContaining("verification failed") },
    ])
  })

  it("is held for a person where there is nothing to go back to", async () => {
    const scene = await given(here)
      .targets("eu")
      .verified()
      .when.versionArrives("1.0.0")
      .and.checkFails("eu", "1.0.0")
      .then.isHeld("eu", /no known-good release/)
    expect((await scene.jobs("eu")).length).toBe(1)
  })

  it("is not tried again by itself, but its successor is", async () => {
    const scene = await given(here)
      .targets("eu")
      .verified()
      .running("1.0.0")
      .when.versionArrives("1.1.0")
      .and.checkFails("eu", "1.1.0")
      .then.runs("eu", "1.0.0")
    await when(scene).versionArrives("1.2.0").then.runs("eu", "1.2.0")
    expect(startedWith(scene, "1.1.0")).toEqual(["eu"])
  })

  it("may be tried again when a person releases the quarantine", async () => {
    const scene = await given(here)
      .targets("eu")
      .verified()
      .running("1.0.0")
      .when.versionArrives("1.1.0")
      .and.checkFails("eu", "1.1.0")
      .then.runs("eu", "1.0.0")
    scene.site.heals("eu", "1.1.0")
    await when(scene)
      .it(({ api }) =>
        api.post(`W/release-targets/${scene.target("eu").key}/release-quarantine`, { reason: "the site was at fault" }),
      )
      .then.runs("eu", "1.1.0")
  })
})

describe("a verified rollout", () => {
  it("goes one target after the other, each when the one before it is verified", async () => {
    const scene = await given(here)
      .targets("a", "b", "c")
      .verified()
      .policy(verified)
      .when.versionArrives("1.0.0")
      .then.runs("a", "1.0.0")
      .and.runs("b", "1.0.0")
      .and.runs("c", "1.0.0")
    const spans = await Promise.all(
      [...scene.targets.keys()].map(async name => (await scene.history(name)).versions[0]),
    )
    const inOrder = spans.sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1))
    for (const [i, span] of inOrder.entries()) {
      expect(span.verification).toBe("passed")
      if (i > 0) expect(span.startedAt >= inOrder[i - 1].verifiedAt).toBe(true)
    }
  })

  it("halts at the first failure: those behind it never leave their version", async () => {
    const scene = await given(here).targets("a", "b", "c", "d").verified().policy(verified).running("1.0.0").scene()
    for (const name of scene.targets.keys()) scene.site.fails(name, "1.1.0")
    await when(scene).versionArrives("1.1.0").then.runs("a", "1.0.0")
    await here.feed.until(
      "the rollout to halt",
      () =>
        here.feed.events.filter(
          event => event.type === "rollout.halted" && JSON.stringify(event).includes(scene.deploymentId),
        ),
      halts => halts.length > 0,
    )
    const started = await here.feed.until(
      "one target to have tried 1.1.0",
      () => startedWith(scene, "1.1.0"),
      names => names.length === 1,
    )
    for (const name of scene.targets.keys()) {
      await when(scene).then.runs(name, "1.0.0")
      if (!started.includes(name))
        await when(scene).then.waits(name, "gradualRollout", /rollout halted, 1 of 0 failures allowed/)
    }
    expect(startedWith(scene, "1.1.0")).toHaveLength(1)
  })

  it("takes the whole environment back where a rule says so", async () => {
    const scene = await given(here)
      .targets("a", "b", "c")
      .verified()
      .policy(verified, { rollback: { scope: "environment" } })
      .running("1.0.0")
      .scene()
    const bad = () => startedWith(scene, "1.1.0").at(-1)
    // The second in the order of that version is the one that fails.
    for (const name of scene.targets.keys()) scene.site.fails(name, "1.1.0")
    await when(scene)
      .versionArrives("1.1.0")
      .and.it(async () => {
        const first = await here.feed.until("a first target", bad, name => name !== undefined)
        scene.site.heals(first ?? "", "1.1.0")
      })
      .then.runs("a", "1.0.0")
      .and.runs("b", "1.0.0")
      .and.runs("c", "1.0.0")
    expect(new Set(startedWith(scene, "1.1.0")).size).toBeLessThanOrEqual(2)
  })
})

describe("a job that fails", () => {
  it("is tried again after the back-off, and then succeeds", async () => {
    const scene = await given(here)
      .targets("eu")
      .agent("test-runner", { delaySeconds: 0, scenario: "flap", flapTries: 2 })
      .policy({ retry: { maxRetries: 2, backoffSeconds: 1 } })
      .when.versionArrives("1.0.0")
      .then.runs("eu", "1.0.0")
    const jobs = await scene.jobs("eu")
    expect(jobs.map(job => [job.sluice.try, job.status])).toEqual([
      [3, "successful"],
      [2, "failure"],
      [1, "failure"],
    ])
    const gap = Date.parse(jobs[0].createdAt) - Date.parse(jobs[1].completedAt)
    expect(gap).toBeGreaterThanOrEqual(1_000)
  })

  it("without a retry rule stays failed, and says that the one try is used up", async () => {
    const scene = await given(here)
      .targets("eu")
      .agent("test-runner", { delaySeconds: 0, status: "failure" })
      .when.versionArrives("1.0.0")
      .then.lastJobIs("eu", "failure")
      .and.waits("eu", "retry", /one try/)
    expect(await scene.jobs("eu")).toHaveLength(1)
  })

  it("takes the target back where a rule asks for that", async () => {
    const scene = await given(here)
      .targets("eu")
      .policy({ rollback: { onJobStatuses: ["failure"] } })
      .running("1.0.0")
      .scene()
    await when(scene)
      .versionArrives("1.1.0", { jobAgentConfig: { status: "failure" } })
      .then.runs("eu", "1.0.0")
      .and.lastJobIs("eu", "successful")
    expect((await scene.jobs("eu")).map(job => job.status)).toEqual(["successful", "failure", "successful"])
  })
})

describe("the journal of these stories", () => {
  it("keeps every promise, the return to the last known-good release among them", async () => {
    const report = await judge(here)
    expect(report.promises.P8.checked).toBeGreaterThan(5)
  })
})
