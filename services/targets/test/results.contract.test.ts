import { expect, layer } from "@effect/vitest"
import { testStore } from "@sluice/testkit/shared"
import { Effect } from "effect"
import { health, type Shop, shop } from "./shop.ts"

const one = Effect.fnUntraced(function* (...rules: ReadonlyArray<Record<string, unknown>>) {
  const store = yield* shop({ production: 1 })
  if (rules.length > 0) yield* store.policy(rules)
  return store
})
const verification = { verification: { metrics: [health] } }
const started = (store: Shop) =>
  store.effects.flatMap(({ effect }) => (effect._tag === "Send" && effect.type === "StartJobs" ? [effect.body] : []))

layer(testStore, { excludeTestServices: true })("a target whose job failed", it => {
  it.effect("is not tried again without a retry rule, and says that its one try is used up", () =>
    Effect.gen(function* () {
      const store = yield* one()
      yield* store.publish("1.0.0")
      yield* store.end(store.key("web-1"), "failure")
      expect(store.phase("web-1")).toBe("Waiting")
      expect(store.reason("web-1")).toBe("the one try without a retry rule is used up")
      expect(started(store)).toHaveLength(1)
      const [row] = yield* store.sql("SELECT failed_at FROM target_version WHERE target_key = $1", [store.key("web-1")])
      expect(row?.failed_at).not.toBeNull()
    }),
  )

  it.effect("is tried again after the back-off, as the same release with the next try", () =>
    Effect.gen(function* () {
      const store = yield* one({ retry: { maxRetries: 2, backoffSeconds: 60, backoffStrategy: "exponential" } })
      yield* store.publish("1.0.0")
      yield* store.end(store.key("web-1"), "failure")
      expect(store.reason("web-1")).toMatch(/^1.0.0: the next try is due /)
      yield* store.pass(59_000)
      expect(store.busy()).toEqual([])
      yield* store.pass(1_000)
      expect(store.busy()).toEqual(["web-1"])
      yield* store.end(store.key("web-1"), "failure")
      yield* store.pass(119_000)
      expect(store.busy()).toEqual([])
      yield* store.pass(1_000)
      yield* store.end(store.key("web-1"), "failure")
      expect(store.reason("web-1")).toMatch(/3 tries failed, 2 retries allowed/)
      expect(started(store)).toMatchObject([{ try: 1 }, { try: 2 }, { try: 3 }])
      expect(new Set(started(store).map(job => (job as { releaseId: string }).releaseId)).size).toBe(1)
      const releases = yield* store.sql("SELECT 1 FROM release WHERE target_key = $1", [store.key("web-1")])
      expect(releases).toHaveLength(1)
    }),
  )

  it.effect("goes back where a rollback rule says so, once the tries are used up", () =>
    Effect.gen(function* () {
      const store = yield* one({ rollback: {} }, { retry: { maxRetries: 1 } })
      yield* store.publish("1.0.0")
      yield* store.finish()
      yield* store.publish("1.1.0")
      yield* store.end(store.key("web-1"), "failure")
      expect(started(store).at(-1)).toMatchObject({ purpose: "deploy", try: 2 })
      yield* store.end(store.key("web-1"), "failure")
      expect(started(store).at(-1)).toMatchObject({ purpose: "rollback", versionId: store.versionId("1.0.0"), try: 2 })
      yield* store.finish()
      expect(store.state("web-1")).toMatchObject({ phase: { _tag: "Idle" }, current: { tag: "1.0.0" } })
    }),
  )

  it.effect("runs once more when a person orders it, and takes the failure back when that succeeds", () =>
    Effect.gen(function* () {
      const store = yield* one()
      yield* store.publish("1.0.0")
      yield* store.end(store.key("web-1"), "failure")
      store.send(store.key("web-1"), { type: "Redeploy", body: { reason: "disk was full", userId: "u" } })
      yield* store.run()
      expect(started(store).at(-1)).toMatchObject({ try: 2, reason: "redeployed by a person: disk was full" })
      yield* store.finish()
      const [row] = yield* store.sql("SELECT failed_at, settled_at FROM target_version WHERE target_key = $1", [
        store.key("web-1"),
      ])
      expect(row).toMatchObject({ failed_at: null, settled_at: expect.any(Date) })
      expect(store.phase("web-1")).toBe("Idle")
    }),
  )
})

layer(testStore, { excludeTestServices: true })("a target whose verification failed", it => {
  it.effect("goes back to the last known-good release without any rule, and verifies that again", () =>
    Effect.gen(function* () {
      const store = yield* one(verification)
      yield* store.publish("1.0.0")
      yield* store.finish()
      yield* store.publish("1.1.0")
      yield* store.end(store.key("web-1"))
      yield* store.conclude(store.key("web-1"), "failed")
      expect(store.phase("web-1")).toBe("Returning")
      yield* store.end(store.key("web-1"))
      expect(store.phase("web-1")).toBe("VerifyingReturn")
      expect(store.verifications.get(store.key("web-1"))?.metrics).toMatchObject([{ name: "errorRate" }])
      yield* store.conclude(store.key("web-1"), "passed")
      expect(store.phase("web-1")).toBe("Idle")
      const [status] = yield* store.sql(
        "SELECT s.phase, r.version_id FROM target_status s JOIN release r ON r.id = s.good_release_id WHERE s.key = $1",
        [store.key("web-1")],
      )
      expect(status).toEqual({ phase: "idle", version_id: store.versionId("1.0.0") })
    }),
  )

  it.effect("is held for a person when there is nothing to return to", () =>
    Effect.gen(function* () {
      const store = yield* one(verification)
      yield* store.publish("1.0.0")
      yield* store.finish({ verdict: () => "failed" })
      expect(store.phase("web-1")).toBe("Held")
      expect(store.reason("web-1")).toMatch(
        /^held for a person: there is no known-good release to return to from 1.0.0/,
      )
      yield* store.publish("1.1.0")
      expect(store.phase("web-1")).toBe("Held")
      store.send(store.key("web-1"), { type: "ReleaseHold", body: { reason: "looked at it", userId: "u" } })
      yield* store.run()
      expect(store.jobs.get(store.key("web-1"))).toMatchObject({ versionId: store.versionId("1.1.0") })
    }),
  )

  it.effect("is held for a person when the release returned to fails too", () =>
    Effect.gen(function* () {
      const store = yield* one(verification)
      yield* store.publish("1.0.0")
      yield* store.finish()
      yield* store.publish("1.1.0")
      yield* store.finish({ verdict: () => "failed" })
      expect(store.reason("web-1")).toMatch(/1.0.0, returned to from 1.1.0, did not pass its verification/)
      expect(started(store)).toHaveLength(3)
    }),
  )

  it.effect("is never taken back from the same version twice", () =>
    Effect.gen(function* () {
      const store = yield* one(verification)
      yield* store.publish("1.0.0")
      yield* store.finish()
      yield* store.publish("1.1.0")
      const failing = (_name: string, tag: string) => (tag === "1.1.0" ? ("failed" as const) : ("passed" as const))
      yield* store.finish({ verdict: failing })
      store.send(store.key("web-1"), { type: "ReleaseQuarantine", body: { reason: "again", userId: "u" } })
      yield* store.run()
      yield* store.finish({ verdict: failing })
      expect(store.reason("web-1")).toMatch(/1.1.0 had been taken back from here once already/)
      expect(started(store).filter(job => (job as { purpose: string }).purpose === "rollback")).toHaveLength(1)
    }),
  )

  it.effect("stays where it is when a rule switches rollback off", () =>
    Effect.gen(function* () {
      const store = yield* one(verification, { rollback: { onVerificationFailure: false } })
      yield* store.publish("1.0.0")
      yield* store.finish({ verdict: () => "failed" })
      expect(store.phase("web-1")).toBe("Idle")
      expect(started(store)).toHaveLength(1)
    }),
  )
})

layer(testStore, { excludeTestServices: true })("a rollback rule with a wider scope", it => {
  it.effect("takes the others back only once so many targets have failed", () =>
    Effect.gen(function* () {
      const store = yield* shop({ production: 3 })
      yield* store.policy([verification, { rollback: { scope: "environment", failedTargets: 2 } }])
      yield* store.publish("1.0.0")
      yield* store.finish()
      yield* store.publish("1.1.0")
      for (const name of ["web-1", "web-2", "web-3"]) yield* store.end(store.key(name))
      yield* store.conclude(store.key("web-1"), "passed")
      yield* store.conclude(store.key("web-2"), "failed")
      expect(store.phase("web-1")).toBe("Idle")
      yield* store.conclude(store.key("web-3"), "failed")
      expect(store.busy()).toEqual(["web-1", "web-2", "web-3"])
      yield* store.finish()
      for (const name of store.keys.keys()) expect(store.state(name).current?.tag).toBe("1.0.0")
    }),
  )

  it.effect("reaches targets that are deploying or verifying the version", () =>
    Effect.gen(function* () {
      const store = yield* shop({ production: 3 })
      yield* store.policy([verification, { rollback: { scope: "deployment" } }])
      yield* store.publish("1.0.0")
      yield* store.finish()
      yield* store.publish("1.1.0")
      yield* store.end(store.key("web-1"))
      yield* store.end(store.key("web-2"))
      yield* store.conclude(store.key("web-1"), "failed")
      expect(store.phase("web-2")).toBe("Returning")
      expect(store.state("web-3").phase).toMatchObject({ _tag: "Deploying", recalled: { reason: expect.any(String) } })
      const cancelled = store.effects.filter(({ effect }) => effect._tag === "Send" && effect.type === "CancelJobs")
      expect(cancelled.map(({ key }) => store.nameOf(key))).toEqual(["web-3"])
      yield* store.end(store.key("web-3"), "cancelled")
      yield* store.finish()
      for (const name of store.keys.keys())
        expect(store.state(name)).toMatchObject({ phase: { _tag: "Idle" }, current: { tag: "1.0.0" } })
    }),
  )
})
