/** The example of a CI step that publishes over NATS, run as its README says. */
import { execFile } from "node:child_process"
import { join } from "node:path"
import { type Installation, openInstallation, workspaceSlug } from "@sluice/testkit/installation"
import { given } from "@sluice/testkit/story"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

const example = join(import.meta.dirname, "../../examples/publish-version/publish-version.mjs")

let here: Installation
beforeAll(async () => {
  here = await openInstallation()
})
afterAll(async () => {
  await here?.close()
})

const publish = (deployment: string, tag: string, commit: string): Promise<{ code: number; answer: unknown }> =>
  new Promise(resolve => {
    const env = {
      ...process.env,
      NATS_URL: here.natsUrl,
      WORKSPACE: workspaceSlug,
      GIT_COMMIT: commit,
      GIT_BRANCH: "main",
    }
    execFile(process.execPath, [example, deployment, tag], { env }, (error, stdout) =>
      resolve({
        code: error === null ? 0 : Number(error.code),
        answer: stdout === "" ? undefined : JSON.parse(stdout),
      }),
    )
  })

describe("the example that publishes a version over NATS", () => {
  it("prints the verdict and exits 0 when the version is new, and when the very same was there already", async () => {
    const scene = await given(here).targets("eu").scene()
    const created = await publish(scene.deploymentName, "1.4.0", "c0ffee")
    expect(created).toMatchObject({ code: 0, answer: { tag: "1.4.0", status: "created" } })
    const version = await scene.version("1.4.0")
    expect(version).toMatchObject({ metadata: { "git/commit": "c0ffee", "git/branch": "main" } })
    expect(await publish(scene.deploymentName, "1.4.0", "c0ffee")).toEqual({
      code: 0,
      answer: { versionId: version.id, tag: "1.4.0", status: "unchanged" },
    })
  })

  it("prints the refusal and exits 1 when the tag is known with other content, and for an unknown deployment", async () => {
    const scene = await given(here).targets("eu").scene()
    await publish(scene.deploymentName, "1.4.0", "c0ffee")
    expect(await publish(scene.deploymentName, "1.4.0", "decaf")).toMatchObject({
      code: 1,
      answer: { status: "refused", code: "DUPLICATE_TAG" },
    })
    expect(await publish("nobody", "1.4.0", "c0ffee")).toMatchObject({
      code: 1,
      answer: { status: "refused", code: "NOT_FOUND" },
    })
  })
})
