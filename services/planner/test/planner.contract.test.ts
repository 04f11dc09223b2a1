import { expect, layer } from "@effect/vitest"
import { membershipSubject } from "@sluice/rules/wait-subject"
import { testStore } from "@sluice/testkit/shared"
import { Effect } from "effect"
import { keyOf, newWorld } from "./world.ts"

const inEu = 'resource.metadata["region"] == "eu"'

/** One system with a deployment and an environment that take every resource in the EU, and one such resource. */
const small = Effect.fnUntraced(function* () {
  const world = yield* newWorld()
  const s = yield* world.system()
  const d = yield* world.owner("deployment", inEu, [s])
  const e = yield* world.owner("environment", "true", [s])
  const r = yield* world.resource({ region: "eu" })
  const first = yield* world.changed({ resources: [r] })
  return { world, s, d, e, r, key: keyOf(r, e, d), first }
})

layer(testStore, { excludeTestServices: true })("release targets", it => {
  it.effect("exist once, however many systems their deployment and environment share (V-RT-1)", () =>
    Effect.gen(function* () {
      const world = yield* newWorld()
      const systems = [yield* world.system(), yield* world.system()]
      const d = yield* world.owner("deployment", "true", systems)
      const e = yield* world.owner("environment", "true", systems)
      const r = yield* world.resource()
      yield* world.changed({ resources: [r], deployments: [d], environments: [e], systems })
      expect(yield* world.targets).toEqual([keyOf(r, e, d)])
    }),
  )

  it.effect("do not exist where no system is shared (V-RT-2)", () =>
    Effect.gen(function* () {
      const world = yield* newWorld()
      const d = yield* world.owner("deployment", "true", [yield* world.system()])
      const e = yield* world.owner("environment", "true", [yield* world.system()])
      const r = yield* world.resource()
      yield* world.changed({ resources: [r], deployments: [d], environments: [e] })
      expect(yield* world.targets).toEqual([])
    }),
  )

  it.effect("do not exist for a selector that is false, empty or not given (V-RT-3)", () =>
    Effect.gen(function* () {
      const world = yield* newWorld()
      const s = yield* world.system()
      const deployments = []
      for (const text of ["false", "", "  ", null]) deployments.push(yield* world.owner("deployment", text, [s]))
      const e = yield* world.owner("environment", "true", [s])
      const r = yield* world.resource()
      yield* world.changed({ resources: [r], deployments, environments: [e] })
      expect(yield* world.targets).toEqual([])
    }),
  )

  it.effect("exist for the resource that has the key a selector reads, not for the one that lacks it (V-RT-4)", () =>
    Effect.gen(function* () {
      const { world, d, e } = yield* small()
      const [a, b] = [yield* world.resource(), yield* world.resource({ region: "eu" })]
      const before = yield* world.targets
      yield* world.changed({ resources: [a, b] })
      expect(yield* world.targets).toEqual([...before, keyOf(b, e, d)].sort())
    }),
  )

  it.effect("that join are told to look, and announced", () =>
    Effect.gen(function* () {
      const { world, key, first, r, e, d } = yield* small()
      expect(yield* world.targets).toEqual([key])
      expect(first.reconciled).toEqual([[key]])
      expect(first.events).toMatchObject([
        { type: "target.joined", subject: key, data: { resourceId: r, environmentId: e, deploymentId: d } },
      ])
    }),
  )

  it.effect("that leave keep their row, are told to look, and may come back", () =>
    Effect.gen(function* () {
      const { world, r, key } = yield* small()
      const setRegion = (region: string) =>
        Effect.andThen(
          world.run("UPDATE resource SET metadata = $2 WHERE id = $1", r, JSON.stringify({ region })),
          world.changed({ resources: [r] }),
        )
      const gone = yield* setRegion("us")
      expect(gone.reconciled).toEqual([[key]])
      expect(gone.events).toMatchObject([{ type: "target.left", subject: key }])
      const [row] = yield* world.run("SELECT present, left_at FROM release_target WHERE key = $1", key)
      expect(row).toMatchObject({ present: false, left_at: expect.any(Date) })

      const back = yield* setRegion("eu")
      expect(back.events).toMatchObject([{ type: "target.joined", subject: key }])
      const [again] = yield* world.run("SELECT present, left_at FROM release_target WHERE key = $1", key)
      expect(again).toEqual({ present: true, left_at: null })
    }),
  )

  it.effect("leave with their resource, deployment, environment, system or last shared link, and nothing else", () =>
    Effect.gen(function* () {
      for (const what of ["resource", "deployment", "environment", "system", "link"] as const) {
        const { world, s, d, e, r, key } = yield* small()
        const other = yield* world.resource({ region: "eu" })
        yield* world.changed({ resources: [other] })
        const ids = { resource: r, deployment: d, environment: e, system: s, link: s }
        if (what === "link") yield* world.run("DELETE FROM system_environment WHERE environment_id = $1", e)
        else yield* world.remove(what, ids[what])
        const list = what === "link" ? "systems" : (`${what}s` as const)
        const heard = yield* world.changed({ [list]: [ids[what]] })
        const left = what === "resource" ? [key] : [key, keyOf(other, e, d)].sort()
        expect(heard.reconciled).toEqual([left])
        expect(yield* world.targets).toEqual(what === "resource" ? [keyOf(other, e, d)] : [])
      }
    }),
  )

  it.effect("follow a changed selector, and those that stay are told to look as well", () =>
    Effect.gen(function* () {
      const { world, d, e, r } = yield* small()
      const us = yield* world.resource({ region: "us" })
      yield* world.changed({ resources: [us] })
      yield* world.run("UPDATE deployment SET resource_selector = 'true' WHERE id = $1", d)
      const both = [keyOf(r, e, d), keyOf(us, e, d)].sort()
      expect((yield* world.changed({ deployments: [d] })).reconciled).toEqual([both])
      expect(yield* world.targets).toEqual(both)
      yield* world.run("UPDATE environment SET resource_selector = $2 WHERE id = $1", e, inEu)
      yield* world.changed({ environments: [e] })
      expect(yield* world.targets).toEqual([keyOf(r, e, d)])
    }),
  )

  it.effect("stay as they are when a stored selector does not compile", () =>
    Effect.gen(function* () {
      const { world, d, r, key } = yield* small()
      yield* world.run("UPDATE deployment SET resource_selector = 'resource.kind ==' WHERE id = $1", d)
      yield* world.changed({ deployments: [d] })
      yield* world.changed({ resources: [r] })
      expect(yield* world.targets).toEqual([key])
    }),
  )
})

layer(testStore, { excludeTestServices: true })("a change", it => {
  it.effect("of a version concerns the targets of its deployment, one of a policy the whole workspace", () =>
    Effect.gen(function* () {
      const { world, s, e, r, key, d } = yield* small()
      const other = yield* world.owner("deployment", "true", [s])
      yield* world.changed({ deployments: [other] })
      const elsewhere = yield* small()
      const version = { versions: [{ versionId: r, deploymentId: d }] }
      expect((yield* world.changed(version)).reconciled).toEqual([[key]])
      expect((yield* world.changed({ policies: [r] })).reconciled).toEqual([[key, keyOf(r, e, other)].sort()])
      expect((yield* world.changed({ agents: [r] })).reconciled).toEqual([[]])
      expect(yield* elsewhere.world.targets).toEqual([elsewhere.key])
    }),
  )

  it.effect("of membership wakes exactly those that wait on it, in the same step", () =>
    Effect.gen(function* () {
      const { world, d, e } = yield* small()
      const subject = membershipSubject({ deploymentId: d, environmentId: e } as Parameters<
        typeof membershipSubject
      >[0])
      const insert = "INSERT INTO wait (target_key, subject, workspace_id) VALUES ($1, $2, $3)"
      yield* world.run(insert, "waiter", subject, world.workspaceId)
      yield* world.run(insert, "other", "membership:elsewhere", world.workspaceId)
      const r = yield* world.resource({ region: "eu" })
      expect((yield* world.changed({ resources: [r] })).reconciled).toEqual([[keyOf(r, e, d), "waiter"].sort()])
      expect((yield* world.changed({ resources: [r] })).reconciled).toEqual([[keyOf(r, e, d)]])
    }),
  )

  it.effect("beside another in one batch is named as the cause of what it moved itself", () =>
    Effect.gen(function* () {
      const { world, d, e } = yield* small()
      const [a, b] = [yield* world.resource({ region: "eu" }), yield* world.resource({ region: "eu" })]
      const heard = yield* world.changed({ resources: [a], reason: "first" }, { resources: [b], reason: "second" })
      expect(heard.reconciled).toEqual([[keyOf(a, e, d)], [keyOf(b, e, d)]])
      expect(heard.reasons).toEqual(new Set(["first", "second"]))
    }),
  )
})
