import type { PublicEvent } from "@sluice/api/events"
import { upsertPolicy } from "@sluice/api/policies"
import { type DeploymentId, type EnvironmentId, type ResourceId, releaseTargetKey } from "@sluice/domain/ids"
import { Schema } from "effect"
import { describe, expect, test } from "vitest"
import { eventOf } from "../src/demonstration/follow.ts"
import { makeNarrator } from "../src/demonstration/narrate.ts"
import { badPosition, neverLeft, orderOf, type Row, returned, tableOf } from "../src/demonstration/outcome.ts"
import { fixedId, policies, resourceNames } from "../src/demonstration/plan.ts"
import { type ProofSummary, proofOf } from "../src/demonstration/proof.ts"
import type { World } from "../src/demonstration/world.ts"

const workspaceId = "018f0000-0000-7000-8000-000000000001"
const id = (name: string) => fixedId(workspaceId, name)

const world: World = {
  deploymentIds: { storefront: id("storefront"), checkout: id("checkout") },
  environmentIds: { staging: id("staging"), production: id("production") },
  jobAgentId: id("agent"),
  targets: resourceNames.production.map(resource => ({
    key: releaseTargetKey({
      resourceId: id(resource) as ResourceId,
      environmentId: id("production") as EnvironmentId,
      deploymentId: id("storefront") as DeploymentId,
    }),
    deployment: "storefront",
    environment: "production",
    resource,
    url: "http://127.0.0.1:1",
  })),
}

const event = (type: PublicEvent["type"], data: PublicEvent["data"]): PublicEvent => ({
  id: id("event"),
  sequence: 1,
  type,
  version: 1,
  at: "2026-01-02T03:04:05.678Z",
  workspaceId,
  subject: "",
  actor: "system",
  correlationId: "c",
  data,
})

describe("the plan", () => {
  test("gives the same id to the same name, another to every other, and each is a UUID", () => {
    expect(id("a")).toBe(id("a"))
    expect(id("a")).not.toBe(id("b"))
    expect(fixedId("other", "a")).not.toBe(id("a"))
    expect(id("a")).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  test("has policies that the API takes", () => {
    const decode = Schema.decodeUnknownSync(upsertPolicy.body as Schema.Codec<unknown>)
    for (const policy of policies(workspaceId)) {
      expect(() => decode({ ...policy, enabled: true, priority: 0, metadata: {} })).not.toThrow()
    }
  })
})

describe("the narrator", () => {
  const first = world.targets[0]
  const second = world.targets[1]

  test("tells what happened on a target, when and why, on one line", () => {
    const { lineOf } = makeNarrator(world)
    const deploying = event("target.deploying", {
      targetKey: first?.key ?? "",
      tag: "1.0.0",
      reason: "redeployed by a person",
    })
    expect(lineOf(deploying)?.split(/ {2,}/)).toEqual([
      "03:04:05.678",
      "storefront amsterdam",
      "deploying 1.0.0",
      "redeployed by a person",
    ])
  })

  test("says of a start that nothing held what it came after", () => {
    const { lineOf } = makeNarrator(world)
    const versionId = "018f0000-0000-7000-8000-0000000000a1"
    const order: ReadonlyArray<string> = orderOf(world.targets, versionId)
    const place = order.indexOf(first?.key ?? "") + 1
    const data = { targetKey: first?.key ?? "", versionId, tag: "1.0.0", reason: "1.0.0 is desired" }
    expect(lineOf(event("target.deploying", data))).toContain(`position ${place} of 5 in the order of 1.0.0`)
  })

  test("says once what holds all targets of an environment, and again when the reason changes", () => {
    const { lineOf } = makeNarrator(world)
    const waiting = (targetKey: string, reason: string) =>
      lineOf(event("target.waiting", { targetKey, tag: "1.0.0", rule: "environmentProgression", reason }))
    expect(waiting(first?.key ?? "", "0 of 2")).toContain("storefront production")
    expect(waiting(second?.key ?? "", "0 of 2")).toBeUndefined()
    expect(waiting(second?.key ?? "", "1 of 2")).toContain("1 of 2")
  })

  test("says of each target what place in the rollout it waits for", () => {
    const { lineOf } = makeNarrator(world)
    const waiting = (targetKey: string) =>
      lineOf(event("target.waiting", { targetKey, tag: "1.0.0", rule: "gradualRollout", reason: "waits for boston" }))
    expect(waiting(first?.key ?? "")).toContain("amsterdam")
    expect(waiting(second?.key ?? "")).toContain("boston")
  })

  test("keeps silent about a probe that passed and tells one that did not, once", () => {
    const { lineOf } = makeNarrator(world)
    const measured = (status: string) =>
      lineOf(event("verification.measured", { targetKey: first?.key ?? "", status, message: "too many errors" }))
    expect(measured("passed")).toBeUndefined()
    expect(measured("failed")).toContain("too many errors")
    expect(measured("failed")).toBeUndefined()
  })
})

describe("the event stream", () => {
  test("gives the event of a frame, and nothing for a comment or a gap", () => {
    const sent = event("target.held", {})
    expect(eventOf(`id: 1\nevent: target.held\ndata: ${JSON.stringify(sent)}`)).toEqual([sent])
    expect(eventOf(": still here")).toEqual([])
    expect(eventOf(`event: gap\ndata: {"after":1}`)).toEqual([])
  })
})

const goodRows = (): ReadonlyArray<Row> =>
  [1, 2, 3, 4, 5].map(position => ({
    deployment: "storefront",
    environment: "production",
    resource: `site-${position}`,
    site: "1.0.0",
    api: "1.0.0",
    expected: "1.0.0",
    position,
    note: position <= badPosition ? returned : neverLeft,
    served:
      position <= badPosition
        ? [
            { version: "1.0.0", from: 1_000 },
            { version: "1.1.0", from: 2_000 + position },
            { version: "1.0.0", from: 3_000 + position },
          ]
        : [{ version: "1.0.0", from: 1_000 }],
    ok: true,
  }))

const content: ProofSummary = {
  eventsChecked: 100,
  activeJobSetsPerTargetMax: 1,
  orderKept: true,
  reopenedJobs: 0,
  violations: [],
}

describe("the proof", () => {
  test("finds no problem when everything was kept, and measures from the failing probe to the old version", () => {
    const proof = proofOf(content, goodRows(), 2_900)
    expect(proof.problems).toEqual([])
    expect(proof.lines.at(-1)).toContain("103 ms on that site, 103 ms on all three")
  })

  test.each([
    ["a checker that saw nothing", { ...content, eventsChecked: 0 }, "no events"],
    ["two active job sets", { ...content, activeJobSetsPerTargetMax: 2 }, "more than one active job set"],
    ["a broken order", { ...content, orderKept: false }, "in order"],
    ["a reopened job", { ...content, reopenedJobs: 1 }, "reopened"],
    ["a broken promise", { ...content, violations: ["P4: version lost"] }, "version lost"],
  ])("reports %s", (_, summary, problem) => {
    expect(proofOf(summary, goodRows(), 2_900).problems.join()).toContain(problem)
  })

  test("reports a site behind the bad one that served the bad version all the same", () => {
    const rows = goodRows().map(row =>
      row.position === 4 ? { ...row, served: [...row.served, { version: "1.1.0", from: 9 }] } : row,
    )
    expect(proofOf(content, rows, 2_900).problems).toEqual(["site-4 served 1.1.0 at position 4"])
  })

  test("reports a touched site that never went back", () => {
    const rows = goodRows().map(row => (row.position === 2 ? { ...row, served: row.served.slice(0, 2) } : row))
    expect(proofOf(content, rows, 2_900).problems.join()).toContain("not every touched site")
  })
})

describe("the end table", () => {
  test("says what was found, and what was promised where that is something else", () => {
    const [heading, ...lines] = tableOf(
      goodRows().map(row => (row.position === 5 ? { ...row, site: "1.1.0", ok: false } : row)),
    )
    expect(heading).toContain("API says")
    expect(lines[3]).toContain(neverLeft)
    expect(lines[3]).not.toContain("NOT AS PROMISED")
    expect(lines[4]).toContain("NOT AS PROMISED, should run 1.0.0")
  })

  test("orders the production targets of a version by its own hash, so that versions differ", () => {
    const orders = ["018f0000-0000-7000-8000-0000000000a1", "11111111-2222-4333-8444-555555555555"].map(version =>
      orderOf(world.targets, version),
    )
    expect(new Set(orders[0])).toEqual(new Set(world.targets.map(target => target.key)))
    expect(orders[0]).not.toEqual(orders[1])
  })
})
