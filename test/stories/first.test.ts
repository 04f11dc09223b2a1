import { check } from "@sluice/checker/check"
import { type Installation, openInstallation } from "@sluice/testkit/installation"
import { given } from "@sluice/testkit/story"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

let here: Installation
beforeAll(async () => {
  here = await openInstallation()
})
afterAll(async () => {
  await here?.close()
})

describe("a version that nobody holds back", () => {
  it("runs on every target, newest last", async () => {
    await given(here).targets("eu", "us").when.versionArrives("1.0.0").then.runs("eu", "1.0.0").and.runs("us", "1.0.0")
    const report = check(await here.exportJournal())
    expect(report).toMatchObject({ kept: true })
  })
})
