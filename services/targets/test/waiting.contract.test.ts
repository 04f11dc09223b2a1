import { randomUUID } from "node:crypto"
import { expect, layer } from "@effect/vitest"
import { approvalSubject } from "@sluice/rules/wait-subject"
import { testStore } from "@sluice/testkit/shared"
import { Effect } from "effect"
import { health, type Shop, shop } from "./shop.ts"

const approve = Effect.fnUntraced(function* (store: Shop, tag: string) {
  yield* store.sql(
    "INSERT INTO approval (version_id, environment_id, user_id, workspace_id, status) VALUES ($1, $2, $3, $4, 'approved')",
    [store.versionId(tag), store.production, randomUUID(), store.workspaceId],
  )
})

layer(testStore, { excludeTestServices: true })("a target that may not start yet", it => {
  it.effect("names the approval, waits for it in the index, and goes when it is there", () =>
    Effect.gen(function* () {
      const store = yield* shop({ production: 1 })
      yield* store.policy([{ anyApproval: { minApprovals: 1 } }])
      yield* store.publish("1.0.0")
      expect(store.reason("web-1")).toBe("1.0.0 needs an approval for production, 0 of 1 given")
      const subjects = yield* store.sql("SELECT subject FROM wait WHERE target_key = $1 ORDER BY 1", [
        store.key("web-1"),
      ])
      expect(subjects.map(row => row.subject)).toContain(
        approvalSubject({ deploymentId: store.deploymentId as never, environmentId: store.production as never }),
      )
      const [status] = yield* store.sql("SELECT phase, blocked FROM target_status WHERE key = $1", [store.key("web-1")])
      expect(status).toMatchObject({ phase: "waiting", blocked: { rule: "anyApproval", action: "approval" } })
      yield* approve(store, "1.0.0")
      store.look(store.key("web-1"))
      yield* store.run()
      expect(store.busy()).toEqual(["web-1"])
      const why = yield* store.sql("SELECT phase FROM target_why WHERE target_key = $1 ORDER BY sequence", [
        store.key("web-1"),
      ])
      expect(why.map(row => row.phase)).toEqual(["waiting", "deploying"])
    }),
  )

  it.effect("looks a second time after writing its waits, and not a third", () =>
    Effect.gen(function* () {
      const store = yield* shop({ production: 1 })
      yield* store.policy([{ anyApproval: { minApprovals: 1 } }])
      yield* store.publish("1.0.0")
      const looks = store.effects.filter(({ effect }) => effect._tag === "SetTimer" && effect.name === "second-look")
      expect(looks).toHaveLength(1)
      const [before] = yield* store.sql("SELECT count(*)::int AS n FROM target_why")
      store.look(store.key("web-1"))
      yield* store.run()
      expect(yield* store.sql("SELECT count(*)::int AS n FROM target_why")).toEqual([before])
    }),
  )

  it.effect("misses no approval that is committed between its reading of facts and the commit of its waits", () =>
    Effect.gen(function* () {
      const store = yield* shop({ production: 1 })
      yield* store.policy([{ anyApproval: { minApprovals: 1 } }])
      // The approval's own wake finds nobody waiting, because the waits are not committed yet.
      store.meanwhile = Effect.suspend(() => approve(store, "1.0.0"))
      yield* store.publish("1.0.0")
      const answers = yield* store.sql("SELECT phase FROM target_why WHERE target_key = $1 ORDER BY sequence", [
        store.key("web-1"),
      ])
      expect(answers.map(row => row.phase)).toEqual(["waiting", "deploying"])
      expect(store.busy()).toEqual(["web-1"])
    }),
  )

  it.effect("waits until the version has succeeded and been verified in staging", () =>
    Effect.gen(function* () {
      const store = yield* shop({ staging: 2, production: 1 })
      yield* store.policy([{ verification: { metrics: [health] } }], 'environment.name == "staging"')
      const rule = {
        dependsOnEnvironmentSelector: 'environment.name == "staging"',
        minimumSuccessPercentage: 100,
        requireVerificationPassed: true,
      }
      yield* store.policy([{ environmentProgression: rule }])
      yield* store.publish("1.0.0")
      expect(store.busy()).toEqual(["stage-1", "stage-2"])
      yield* store.end(store.key("stage-1"))
      yield* store.conclude(store.key("stage-1"), "passed")
      expect(store.reason("web-1")).toMatch(/1.0.0 succeeded and verified on 1 of 2 targets in staging, needs 2/)
      yield* store.end(store.key("stage-2"))
      expect(store.phase("web-1")).toBe("Waiting")
      yield* store.conclude(store.key("stage-2"), "passed")
      expect(store.busy()).toEqual(["web-1"])
    }),
  )

  it.effect("follows the clock of a linear rollout by its own timer", () =>
    Effect.gen(function* () {
      const store = yield* shop({ production: 3 })
      yield* store.policy([{ gradualRollout: { rolloutType: "linear", timeScaleInterval: 60 } }])
      yield* store.publish("1.0.0")
      expect(store.busy()).toHaveLength(1)
      yield* store.pass(60_000)
      expect(store.busy()).toHaveLength(2)
      yield* store.pass(60_000)
      expect(store.busy()).toHaveLength(3)
    }),
  )

  it.effect("is held by a policy whose rule does not decode, and names policy and rule", () =>
    Effect.gen(function* () {
      const store = yield* shop({ production: 1 })
      yield* store.policy([{ retry: { maxRetries: "many" } }])
      yield* store.publish("1.0.0")
      expect(store.reason("web-1")).toMatch(/^policy "policy" .* cannot be used: retry does not decode/)
      expect(store.busy()).toEqual([])
    }),
  )

  it.effect("names the row that is missing, and goes on when it is back", () =>
    Effect.gen(function* () {
      const store = yield* shop({ production: 1 })
      yield* store.sql("UPDATE environment SET deleted_at = now() WHERE id = $1", [store.production])
      yield* store.publish("1.0.0")
      expect(store.reason("web-1")).toBe(`the row of environment ${store.production} is missing`)
      expect(store.phase("web-1")).toBe("Waiting")
      yield* store.sql("UPDATE environment SET deleted_at = NULL WHERE id = $1", [store.production])
      store.look(store.key("web-1"))
      yield* store.run()
      expect(store.busy()).toEqual(["web-1"])
    }),
  )

  it.effect("looks at older versions in growing numbers until one may go", () =>
    Effect.gen(function* () {
      const store = yield* shop({ production: 1 })
      yield* store.policy([{ versionSelector: { selector: 'version.tag == "good"' } }])
      yield* store.publish("good", "building")
      for (let i = 0; i < 30; i++) yield* store.publish(`bad-${i}`)
      expect(store.busy()).toEqual([])
      yield* store.patch("good", "ready")
      expect(store.jobs.get(store.key("web-1"))?.versionId).toBe(store.versionId("good"))
    }),
  )
})

layer(testStore, { excludeTestServices: true })("a target that runs a version", it => {
  it.effect("waits with a newer one until its job is over", () =>
    Effect.gen(function* () {
      const store = yield* shop({ production: 1 })
      yield* store.publish("1.0.0")
      yield* store.publish("1.1.0")
      yield* store.publish("1.2.0")
      expect(store.jobs.get(store.key("web-1"))?.versionId).toBe(store.versionId("1.0.0"))
      yield* store.end(store.key("web-1"))
      expect(store.jobs.get(store.key("web-1"))?.versionId).toBe(store.versionId("1.2.0"))
    }),
  )

  it.effect("keeps a paused one, which goes nowhere else", () =>
    Effect.gen(function* () {
      const store = yield* shop({ production: 1 })
      yield* store.publish("1.0.0")
      yield* store.finish()
      yield* store.patch("1.0.0", "paused")
      yield* store.join("new", store.production)
      store.look(store.key("new"))
      yield* store.run()
      expect(store.phase("web-1")).toBe("Idle")
      expect(store.reason("new")).toBe("1.0.0 is paused and was never released here")
    }),
  )

  it.effect("leaves a rejected one for the newest older version that may go, and returns when it is ready again", () =>
    Effect.gen(function* () {
      const store = yield* shop({ production: 1 })
      yield* store.publish("1.0.0")
      yield* store.finish()
      yield* store.publish("1.1.0")
      yield* store.finish()
      yield* store.patch("1.1.0", "rejected")
      expect(store.jobs.get(store.key("web-1"))?.versionId).toBe(store.versionId("1.0.0"))
      yield* store.finish()
      yield* store.patch("1.1.0", "ready")
      expect(store.jobs.get(store.key("web-1"))?.versionId).toBe(store.versionId("1.1.0"))
    }),
  )

  it.effect("has its job cancelled when it leaves, and starts again when it comes back", () =>
    Effect.gen(function* () {
      const store = yield* shop({ production: 1 })
      yield* store.publish("1.0.0")
      yield* store.present("web-1", false)
      expect(store.state("web-1")).toMatchObject({ present: false, phase: { _tag: "Deploying" } })
      yield* store.end(store.key("web-1"), "cancelled")
      expect(store.phase("web-1")).toBe("Idle")
      expect(yield* store.sql("SELECT 1 FROM wait WHERE target_key = $1", [store.key("web-1")])).toEqual([])
      yield* store.present("web-1", true)
      expect(store.jobs.get(store.key("web-1"))).toMatchObject({ try: 2 })
    }),
  )

  it.effect("is verified after its return when it left in between", () =>
    Effect.gen(function* () {
      const store = yield* shop({ production: 1 })
      yield* store.policy([{ verification: { metrics: [health] } }])
      yield* store.publish("1.0.0")
      yield* store.end(store.key("web-1"))
      yield* store.present("web-1", false)
      expect(store.verifications.size).toBe(0)
      expect(store.phase("web-1")).toBe("Idle")
      yield* store.present("web-1", true)
      expect(store.phase("web-1")).toBe("Verifying")
      yield* store.finish()
      expect(store.state("web-1").good.map(release => release.tag)).toEqual(["1.0.0"])
    }),
  )

  it.effect("starts nothing while a lost job may still be running", () =>
    Effect.gen(function* () {
      const store = yield* shop({ production: 1 })
      yield* store.publish("1.0.0")
      const jobSetId = store.jobs.get(store.key("web-1"))?.jobSetId as string
      const lost = { jobSetId, jobId: jobSetId, lastSeenAt: store.now, message: "no answer within its deadline" }
      store.send(store.key("web-1"), { type: "JobLost", body: lost })
      yield* store.run()
      yield* store.publish("1.1.0")
      expect(store.reason("web-1")).toMatch(/of 1.0.0 may still be running, last seen .*no answer within its deadline/)
      const [status] = yield* store.sql("SELECT phase, job_set_id FROM target_status WHERE key = $1", [
        store.key("web-1"),
      ])
      expect(status).toEqual({ phase: "held", job_set_id: jobSetId })
      store.send(store.key("web-1"), { type: "Redeploy", body: { reason: "now", userId: "u" } })
      yield* store.run()
      expect(store.busy()).toEqual(["web-1"])
      yield* store.end(store.key("web-1"), "externalRunNotFound")
      expect(store.jobs.get(store.key("web-1"))?.versionId).toBe(store.versionId("1.1.0"))
    }),
  )

  it.effect("says that it has waited too long for a job, and goes on waiting", () =>
    Effect.gen(function* () {
      const store = yield* shop({ production: 1 })
      yield* store.publish("1.0.0")
      yield* store.pass(3 * 3_600_000)
      expect(store.state("web-1").answer?.note).toMatch(/overdue/)
      expect(store.busy()).toEqual(["web-1"])
    }),
  )
})
