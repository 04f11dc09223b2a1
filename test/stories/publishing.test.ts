/** How a version comes in: over HTTP, over NATS, and exactly as the `ctrlc` command sends it. */
import { type Installation, openInstallation, workspaceSlug } from "@sluice/testkit/installation"
import { judge } from "@sluice/testkit/installation-judge"
import { given } from "@sluice/testkit/story"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { openPublisher, type Publisher } from "./nats-client.ts"

let here: Installation
let ci: Publisher
beforeAll(async () => {
  here = await openInstallation()
  ci = await openPublisher(here.natsUrl)
})
afterAll(async () => {
  await ci?.close()
  await here?.close()
})

describe("a version published over HTTP", () => {
  it("runs on every target that nobody holds back", async () => {
    await given(here).targets("eu", "us").when.versionArrives("1.0.0").then.runs("eu", "1.0.0").and.runs("us", "1.0.0")
  })

  it("is a conflict when its tag is known, which says whether it is the same", async () => {
    const scene = await given(here).targets("eu").scene()
    const path = `W/deployments/${scene.deploymentId}/versions`
    const content = { tag: "1.0.0", status: "ready", metadata: { "git/commit": "c0ffee" } }
    const [first, second, other] = [
      await here.api.call("POST", path, content),
      await here.api.call("POST", path, content),
      await here.api.call("POST", path, { ...content, metadata: { "git/commit": "decaf" } }),
    ]
    expect(first.status).toBeLessThan(300)
    expect(second).toMatchObject({ status: 409, body: { details: { versionId: first.body.id, identical: true } } })
    expect(other).toMatchObject({ status: 409, body: { details: { versionId: first.body.id, identical: false } } })
    const { total } = await here.api.get(path)
    expect(total).toBe(1)
  })

  it("is superseded by a newer one: what runs in the end is the newest", async () => {
    const scene = await given(here).targets("eu").scene()
    for (const tag of ["1.0.0", "1.1.0", "1.2.0"]) await scene.publish(tag)
    await here.feed.until(
      "eu to run 1.2.0",
      () => scene.state("eu"),
      state => state.currentRelease?.version.tag === "1.2.0",
    )
  })
})

describe("a version published over NATS", () => {
  it("is durable when acknowledged, and runs", async () => {
    await given(here)
      .targets("eu")
      .when.it(scene =>
        ci.publish(workspaceSlug, {
          schemaVersion: 1,
          deployment: scene.deploymentName,
          tag: "2.0.0",
          status: "ready",
        }),
      )
      .then.runs("eu", "2.0.0")
  })

  it("tells its publisher what became of it: created, unchanged, refused", async () => {
    const scene = await given(here).targets("eu").scene()
    const message = { schemaVersion: 1, deployment: scene.deploymentId, tag: "2.0.0", status: "ready" }
    const created = await ci.ask(here.workspaceId, message)
    expect(created).toMatchObject({ status: "created", tag: "2.0.0" })
    expect(await ci.ask(workspaceSlug, message)).toEqual({ ...created, status: "unchanged" })
    expect(await ci.ask(workspaceSlug, { ...message, config: { replicas: 3 } })).toMatchObject({
      status: "refused",
      code: "DUPLICATE_TAG",
    })
    expect(await ci.ask(workspaceSlug, { ...message, deployment: "nobody" })).toMatchObject({
      status: "refused",
      code: "NOT_FOUND",
    })
    expect(await ci.ask(workspaceSlug, { tag: "no deployment" })).toMatchObject({
      status: "refused",
      code: "BAD_REQUEST",
    })
    await here.feed.until(
      "the refusal to be an event of the workspace",
      () => here.feed.events.filter(event => event.type === "version.refused" && event.data.deployment === "nobody"),
      refusals => refusals.length === 1,
    )
  })

  it("takes its place in the order of the stream: of two with one tag the first stored wins", async () => {
    const scene = await given(here).targets("eu").scene()
    const message = (replicas: number) => ({
      schemaVersion: 1,
      deployment: scene.deploymentName,
      tag: "2.0.0",
      status: "ready",
      config: { replicas },
    })
    const answers = await Promise.all([1, 2, 3].map(replicas => ci.ask(workspaceSlug, message(replicas))))
    expect(answers.map(answer => answer.status).sort()).toEqual(["created", "refused", "refused"])
    const version = await scene.version("2.0.0")
    expect(version.config).toEqual({ replicas: 1 + answers.findIndex(answer => answer.status === "created") })
  })
})

describe("ctrlc api upsert version", () => {
  it("finds the workspace by its slug, creates the version, and its commit is readable on version and job", async () => {
    const scene = await given(here).targets("eu").scene()
    const workspace = await here.api.get(`/v1/workspaces/slug/${workspaceSlug}`)
    const metadata = { "git/commit": "4b825dc642cb6eb9a060e54bf8d69288fbee4904", "git/branch": "main" }
    const created = await here.api
      .as({ workspace: workspace.id })
      .post(`W/deployments/${scene.deploymentId}/versions`, {
        tag: "v3.0.0",
        name: "",
        status: "ready",
        metadata,
        config: {},
        createdAt: "0001-01-01T00:00:00Z",
      })
    expect(created).toMatchObject({ tag: "v3.0.0", name: "v3.0.0", status: "ready", metadata })
    expect(created.id).toMatch(/^[0-9a-f-]{36}$/)

    await here.feed.until(
      "eu to run v3.0.0",
      () => scene.state("eu"),
      state => state.currentRelease?.version.tag === "v3.0.0",
    )
    const [job] = await scene.jobs("eu")
    expect(job.metadata).toMatchObject(metadata)
    const full = await here.api.get(`W/jobs/${job.id}`)
    expect(full.dispatchContext.version.metadata).toEqual(metadata)
    expect((await scene.version("v3.0.0")).metadata).toEqual(metadata)
  })

  it("prints the conflict of a tag it has sent before as a JSON object", async () => {
    const scene = await given(here).targets("eu").scene()
    const body = { tag: "v3.0.0", name: "", status: "ready", metadata: {}, config: {} }
    await scene.publish("v3.0.0", body)
    const again = await here.api.call("POST", `W/deployments/${scene.deploymentId}/versions`, body)
    expect(again.status).toBe(409)
    expect(again.body).toMatchObject({ error: expect.any(String), message: expect.any(String), code: "DUPLICATE_TAG" })
  })
})

describe("the journal of these stories", () => {
  it("keeps every promise", async () => {
    const report = await judge(here)
    expect(report.seen.jobSets).toBeGreaterThan(5)
  })
})
