/** Every service as a process of its own: the same story, the same messages, on the same servers. */
import { type Installation, openInstallation } from "@sluice/testkit/installation"
import { judge } from "@sluice/testkit/installation-judge"
import { serviceNames } from "@sluice/testkit/installation-process"
import { given, when } from "@sluice/testkit/story"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

let here: Installation
beforeAll(async () => {
  here = await openInstallation({ processes: "each" })
}, 120_000)
afterAll(async () => {
  await here?.close()
})

describe("the seven services as processes of their own", () => {
  it("take a version through approval, rollout and verification, and back again when it fails", async () => {
    expect(here.processes.map(process => process.name)).toEqual(serviceNames)
    const scene = await given(here)
      .targetsIn("staging", "s1")
      .targets("eu", "us")
      .verified()
      .policy(
        { environmentProgression: { dependsOnEnvironmentSelector: 'environment.name == "staging-$story"' } },
        { anyApproval: { minApprovals: 1 } },
        { gradualRollout: { rolloutType: "verified" } },
      )
      .when.versionArrives("1.0.0")
      .then.runs("s1", "1.0.0")
      .and.waits("eu", "anyApproval", /0 of 1/)
    await when(scene).personApproves("1.0.0").then.runs("eu", "1.0.0").and.runs("us", "1.0.0")
    for (const name of ["eu", "us"]) scene.site.fails(name, "1.1.0")
    await when(scene)
      .versionArrives("1.1.0")
      .and.personApproves("1.1.0")
      .then.runs("s1", "1.1.0")
      .and.runs("eu", "1.0.0")
      .and.runs("us", "1.0.0")
  })

  it("go on when one of them is killed and comes back", async () => {
    const scene = await given(here)
      .targets("eu")
      .agent("test-runner", { delaySeconds: 1 })
      .when.versionArrives("1.0.0")
      .then.lastJobIs("eu", "inProgress")
    const dispatcher = here.processes.find(process => process.name === "dispatcher")
    await dispatcher?.kill()
    await dispatcher?.start()
    await when(scene).then.runs("eu", "1.0.0")
  })

  it("keep every promise", async () => {
    const report = await judge(here)
    expect(report.promises.P8.checked).toBeGreaterThan(0)
  })
})
