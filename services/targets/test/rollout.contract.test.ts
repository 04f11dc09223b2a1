import { expect, layer } from "@effect/vitest"
import { testStore } from "@sluice/testkit/shared"
import { Effect } from "effect"
import { health, shop } from "./shop.ts"

const verified = { gradualRollout: { rolloutType: "verified" } }
const production = [verified, { verification: { metrics: [health] } }, { rollback: { scope: "environment" } }]

layer(testStore, { excludeTestServices: true })("a verified rollout over five targets", it => {
  it.effect("goes one target at a time, each after the one before it was verified", () =>
    Effect.gen(function* () {
      const store = yield* shop({ production: 5 })
      yield* store.policy(production)
      yield* store.publish("1.0.0")
      expect(store.busy()).toHaveLength(1)
      const waiting = [...store.keys.keys()].filter(name => store.phase(name) === "Waiting")
      expect(waiting).toHaveLength(4)
      expect(
        waiting
          .map(name => store.reason(name))
          .every(reason => /^place \d of 5 in the rollout of 1.0.0/.test(reason ?? "")),
      ).toBe(true)

      const order = yield* store.finish()
      expect(new Set(order).size).toBe(5)
      expect([...store.keys.keys()].map(name => store.phase(name))).toEqual(Array(5).fill("Idle"))
      const rows = yield* store.sql(
        `SELECT r.name, p.position FROM rollout_position p JOIN release_target t ON t.key = p.target_key
         JOIN resource r ON r.id = t.resource_id WHERE p.version_id = $1 ORDER BY position`,
        [store.versionId("1.0.0")],
      )
      expect(rows.map(row => row.name)).toEqual(order)
      expect(store.published("target.confirmed")).toHaveLength(5)
    }),
  )

  it.effect("halts on the first failure, quarantines the version, and takes every touched target back", () =>
    Effect.gen(function* () {
      const store = yield* shop({ production: 5 })
      yield* store.policy(production)
      yield* store.publish("1.0.0")
      yield* store.finish()
      yield* store.publish("1.1.0")
      let seen = 0
      const order = yield* store.finish({
        verdict: (_name, tag) => (tag === "1.1.0" && ++seen === 3 ? "failed" : "passed"),
      })
      const touched = order.slice(0, 3)
      const untouched = [...store.keys.keys()].filter(name => !touched.includes(name))
      expect(new Set(order.slice(3))).toEqual(new Set(touched))
      for (const name of store.keys.keys()) expect(store.state(name).current?.tag).toBe("1.0.0")
      for (const name of touched) {
        expect(store.phase(name)).toBe("Idle")
        expect(store.reason(name)).toMatch(
          /^1.1.0 is quarantined on this target since .*verification failed: errorRate is 0.3/,
        )
      }
      for (const name of untouched) {
        expect(store.phase(name)).toBe("Waiting")
        expect(store.reason(name)).toBe("rollout halted, 1 of 0 failures allowed")
        expect(store.state(name).releases.map(release => release.tag)).toEqual(["1.0.0"])
      }
      expect(store.published("rollout.halted")).toHaveLength(1)
      expect(
        store
          .published("target.rolledBack")
          .map(({ key }) => store.nameOf(key))
          .sort(),
      ).toEqual([...touched].sort())
    }),
  )

  it.effect("is overtaken by a newer version, which then goes to all, and nothing older starts after it", () =>
    Effect.gen(function* () {
      const store = yield* shop({ production: 3 })
      yield* store.policy(production)
      yield* store.publish("1.0.0")
      yield* store.publish("1.1.0")
      expect(store.busy()).toHaveLength(1)
      yield* store.finish()
      for (const name of store.keys.keys()) expect(store.state(name).current?.tag).toBe("1.1.0")
      const started = store.events.flatMap(({ event }) => (event._tag === "JobRequested" ? [event.run.tag] : []))
      expect(started.slice(started.indexOf("1.1.0"))).toEqual(["1.1.0", "1.1.0", "1.1.0"])
    }),
  )

  it.effect("gives a target that joins later the last place", () =>
    Effect.gen(function* () {
      const store = yield* shop({ production: 3 })
      yield* store.policy(production)
      yield* store.publish("1.0.0")
      yield* store.join("late", store.production)
      store.look(store.key("late"))
      yield* store.run()
      expect(store.reason("late")).toMatch(/^place 4 of 4/)
      const order = yield* store.finish()
      expect(order.at(-1)).toBe("late")
    }),
  )

  it.effect("continues after a person released the quarantine where the version failed", () =>
    Effect.gen(function* () {
      const store = yield* shop({ production: 3 })
      yield* store.policy([verified, { verification: { metrics: [health] } }])
      yield* store.publish("1.0.0")
      yield* store.finish()
      yield* store.publish("1.1.0")
      let seen = 0
      const order = yield* store.finish({
        verdict: (_n, tag) => (tag === "1.1.0" && ++seen === 1 ? "failed" : "passed"),
      })
      const failed = order[0] as string
      expect(store.state(failed).current?.tag).toBe("1.0.0")
      store.send(store.key(failed), { type: "ReleaseQuarantine", body: { reason: "flaky probe", userId: "u" } })
      yield* store.run()
      yield* store.finish()
      for (const name of store.keys.keys()) expect(store.state(name).current?.tag).toBe("1.1.0")
    }),
  )
})
