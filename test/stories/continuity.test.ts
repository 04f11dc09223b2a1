/** What outlives a restart and a broken connection, and what many things at once cost. */
import type { PublicEvent } from "@sluice/api/events"
import { type Installation, openInstallation } from "@sluice/testkit/installation"
import { framesOf } from "@sluice/testkit/installation-events"
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

/** The first `count` events that a reader gets who says where it stopped. */
const readEvents = async (position: { readonly header?: number; readonly after?: number }, count: number) => {
  const stop = new AbortController()
  const query = position.after === undefined ? "" : `?after=${position.after}`
  const response = await fetch(here.api.address(`W/events${query}`), {
    headers: {
      "X-API-Key": here.api.key,
      ...(position.header === undefined ? {} : { "Last-Event-ID": String(position.header) }),
    },
    signal: stop.signal,
  })
  const events: Array<PublicEvent & { readonly frameId: string | undefined }> = []
  if (response.body === null) throw new Error("the stream has no body")
  for await (const frame of framesOf(response.body)) {
    if (frame.data === undefined) continue
    events.push({ ...JSON.parse(frame.data), frameId: frame.id })
    if (events.length === count) break
  }
  stop.abort()
  return events
}

describe("the event stream", () => {
  it("goes on where a reader stopped, without a hole or a repeat", async () => {
    await given(here).targets("eu").when.versionArrives("1.0.0").then.runs("eu", "1.0.0")
    const first = await readEvents({ after: 0 }, 6)
    expect(first.map(event => event.sequence)).toEqual([1, 2, 3, 4, 5, 6])
    expect(first.map(event => event.frameId)).toEqual(["1", "2", "3", "4", "5", "6"])
    const on = await readEvents({ header: 4 }, 2)
    expect(on.map(event => event.id)).toEqual(first.slice(4).map(event => event.id))
    // What the reader's own header says wins over the address it was opened with.
    expect((await readEvents({ header: 4, after: 1 }, 1))[0]?.sequence).toBe(5)
  })

  it("tells of the version from its publication to its end, each event with its cause", async () => {
    const scene = await given(here).targets("eu").when.versionArrives("1.0.0").then.runs("eu", "1.0.0")
    const { key } = scene.target("eu")
    const events = await here.feed.until(
      "the target to be confirmed in the stream",
      () => here.feed.events.filter(event => JSON.stringify(event).includes(key) || event.data.tag === "1.0.0"),
      list => list.some(event => event.type === "target.confirmed" && event.subject === key),
    )
    const types = events.map(event => event.type)
    for (const type of ["version.published", "target.deploying", "job.created", "job.ended", "target.confirmed"]) {
      expect(types).toContain(type)
    }
    const published = here.feed.events.find(
      event => event.type === "version.published" && event.data.deploymentId === scene.deploymentId,
    )
    const confirmed = events.find(event => event.type === "target.confirmed" && event.subject === key)
    expect(confirmed?.correlationId).toBeDefined()
    expect(published?.sequence).toBeLessThan(confirmed?.sequence ?? 0)
  })
})

describe("an installation that is stopped and started again", () => {
  it("goes on with jobs, waits and timers where it was", async () => {
    const slow = await given(here)
      .targets("eu")
      .agent("test-runner", { delaySeconds: 3 })
      .when.versionArrives("1.0.0")
      .then.lastJobIs("eu", "inProgress")
    const waiting = await given(here)
      .targets("eu")
      .policy({ anyApproval: { minApprovals: 1 } })
      .when.versionArrives("1.0.0")
      .then.waits("eu", "anyApproval", /0 of 1/)
    const [process] = here.processes
    expect(await process?.stop()).toBe(0)
    await process?.start()
    await when(slow).then.runs("eu", "1.0.0")
    expect(await slow.jobs("eu")).toHaveLength(1)
    await when(waiting).then.waits("eu", "anyApproval", /0 of 1/)
    await when(waiting).personApproves("1.0.0").then.runs("eu", "1.0.0")
  })
})

describe("ten thousand resources set at once", () => {
  it("become release targets in one pass, and setting the same again concerns none of them", async () => {
    const { api } = here
    const { id: providerId } = await api.put("W/resource-providers", { name: "fleet" })
    const { id: systemId } = await api.post("W/systems", { name: "fleet" })
    const resourceSelector = 'resource.kind == "Host"'
    const { id: environmentId } = await api.post("W/environments", { name: "fleet", resourceSelector })
    const deployment = await api.post("W/deployments", { name: "fleet", slug: "fleet", resourceSelector })
    await api.put(`W/systems/${systemId}/environments/${environmentId}`)
    await api.put(`W/systems/${systemId}/deployments/${deployment.id}`)
    const resources = Array.from({ length: 10_000 }, (_, i) => ({
      identifier: `fleet/${i}`,
      name: `host-${i}`,
      kind: "Host",
      version: "v1",
    }))
    const count = async (text: string, ...values: ReadonlyArray<unknown>) =>
      (await here.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${text}`, values))[0]?.count ?? 0
    const targets = () => count("release_target WHERE deployment_id = $1 AND present", deployment.id)
    const passes = () => count("journal WHERE kind = 'planner' AND message->'resources'->>9999 IS NOT NULL")
    /** Targets told to look, counted once nothing is on its way to planner or targets any more. */
    const looks = async () =>
      (await count("outbox WHERE kind IN ('planner', 'target')")) > 0
        ? undefined
        : count("journal WHERE kind = 'target' AND type = 'Reconcile' AND key LIKE '%' || $1", deployment.id)

    await api.put(`W/resource-providers/${providerId}/set`, { resources })
    await here.feed.until("ten thousand release targets", targets, seen => seen === resources.length, 60)
    expect(await passes()).toBe(1)
    const first = await here.feed.until("every target's first look", looks, seen => (seen ?? 0) >= resources.length, 90)

    await api.put(`W/resource-providers/${providerId}/set`, { resources })
    await api.put(`W/resource-providers/${providerId}/set`, { resources: resources.slice(1) })
    await here.feed.until("the one that is missing to leave", targets, seen => seen === resources.length - 1)
    const second = await here.feed.until("nothing to be on its way", looks, seen => seen !== undefined)
    expect((second ?? 0) - (first ?? 0)).toBeLessThan(10)
  }, 180_000)
})

describe("the journal of these stories", () => {
  it("keeps every promise across the restart", async () => {
    const report = await judge(here)
    expect(report.promises.P2.checked).toBeGreaterThan(1_000)
  })
})
