import { randomUUID } from "node:crypto"
import { expect, layer } from "@effect/vitest"
import { Storage } from "@sluice/actor/ports"
import { progressionsFor } from "@sluice/store/target-facts-needs"
import { targetVersionProjection } from "@sluice/store/target-projections-version"
import { testStore } from "@sluice/testkit/shared"
import { Effect } from "effect"
import { targetKind } from "../src/definition.ts"
import { type Shop, shop } from "./shop.ts"

const patch = Effect.fnUntraced(function* (
  store: Shop,
  list: ReadonlyArray<{ target: string } & Record<string, unknown>>,
) {
  const storage = yield* Storage
  const rows = list.map(({ target, ...more }) => ({
    ...{ targetKey: store.key(target), versionId: store.versionId("1.0.0"), workspaceId: store.workspaceId },
    ...{ deploymentId: store.deploymentId, environmentId: store.staging, ...more },
  }))
  yield* storage.transaction("repeatable read", tx => targetVersionProjection(tx, rows))
})

const progression = Effect.fnUntraced(function* (store: Shop, minimumPercentage: number, requireVerification: boolean) {
  const storage = yield* Storage
  const [row] = yield* progressionsFor({ query: storage.query }, [
    {
      ...{
        key: "k",
        deploymentId: store.deploymentId,
        environmentId: store.staging,
        versionId: store.versionId("1.0.0"),
      },
      ...{ successStatuses: ["successful"], requireVerification, minimumPercentage },
    },
  ])
  return row
})

layer(testStore, { excludeTestServices: true })("the facts of progression", it => {
  it.effect("count each target at its earliest success, and name the k-th, smallest and largest", () =>
    Effect.gen(function* () {
      const store = yield* shop({ staging: 4, production: 0 })
      yield* store.policy([{ versionSelector: { selector: "false" } }], "true")
      yield* store.publish("1.0.0")
      yield* patch(store, [
        { target: "stage-1", outcome: { status: "successful", at: 3000 } },
        { target: "stage-1", outcome: { status: "successful", at: 9000 } },
        { target: "stage-2", outcome: { status: "successful", at: 1000 } },
        { target: "stage-3", outcome: { status: "failure", at: 2000 } },
      ])
      expect(yield* progression(store, 50, false)).toEqual({
        ...{ key: "k", targets: 4, succeeded: 2, earliest: 1000, kth: 3000, latest: 3000, mostRecent: 9000 },
      })
      expect(yield* progression(store, 75, false)).toMatchObject({ succeeded: 2, kth: null })
      expect(yield* progression(store, 0, false)).toMatchObject({ kth: 1000 })
    }),
  )

  it.effect("count a success that has to be verified when both are done, and none that failed or is under way", () =>
    Effect.gen(function* () {
      const store = yield* shop({ staging: 4, production: 0 })
      yield* store.policy([{ versionSelector: { selector: "false" } }], "true")
      yield* store.publish("1.0.0")
      const outcome = { status: "successful", at: 1000 }
      yield* patch(store, [
        { target: "stage-1", outcome, verification: "passed", verifiedAt: 5000 },
        { target: "stage-2", outcome, verification: "running" },
        { target: "stage-3", outcome, verification: "failed" },
        { target: "stage-4", outcome: { status: "successful", at: 2000 } },
      ])
      expect(yield* progression(store, 0, true)).toMatchObject({ targets: 4, succeeded: 2, kth: 2000, latest: 5000 })
      yield* store.sql("UPDATE release_target SET present = false WHERE key = $1", [store.key("stage-4")])
      expect(yield* progression(store, 0, true)).toMatchObject({ targets: 3, succeeded: 1, kth: 5000 })
    }),
  )
})

layer(testStore, { excludeTestServices: true })("what a version has come to on a target", it => {
  it.effect("keeps the first end, the newest end and the first settlement, whatever order a batch brings them in", () =>
    Effect.gen(function* () {
      const store = yield* shop({ staging: 1, production: 0 })
      yield* store.policy([{ versionSelector: { selector: "false" } }], "true")
      yield* store.publish("1.0.0")
      const target = "stage-1"
      yield* patch(store, [{ target, outcome: { status: "failure", at: 1 }, failedAt: 1 }])
      yield* patch(store, [
        { target, clearsFailure: true },
        { target, outcome: { status: "failure", at: 2 } },
        { target, outcome: { status: "successful", at: 3 }, settledAt: 3 },
      ])
      yield* patch(store, [{ target, settledAt: 9, quarantine: { at: 9, reason: "bad" } }])
      const read = () =>
        store.sql(
          `SELECT outcomes, latest, extract(epoch FROM settled_at)::float8 * 1000 AS settled, failed_at, quarantine_reason
           FROM target_version WHERE target_key = $1`,
          [store.key(target)],
        )
      const ends = { outcomes: { failure: 1, successful: 3 }, latest: { failure: 2, successful: 3 } }
      expect(yield* read()).toEqual([{ ...ends, settled: 3, failed_at: null, quarantine_reason: "bad" }])
      yield* patch(store, [{ target, clearsQuarantine: true }])
      expect(yield* read()).toMatchObject([{ quarantine_reason: null }])
    }),
  )
})

layer(testStore, { excludeTestServices: true })("a batch of many targets", it => {
  it.effect("reads its facts in a number of statements that does not grow with it", () =>
    Effect.gen(function* () {
      const store = yield* shop({ staging: 1, production: 30 })
      yield* store.policy([
        { gradualRollout: { rolloutType: "verified" } },
        { anyApproval: { minApprovals: 1 } },
        { environmentProgression: { dependsOnEnvironmentSelector: 'environment.name == "staging"' } },
      ])
      yield* store.publish("1.0.0")
      const storage = yield* Storage
      const statements = Effect.fnUntraced(function* (keys: ReadonlyArray<string>) {
        let count = 0
        const tx = {
          query: <Row>(text: string, values?: ReadonlyArray<unknown>) => {
            count++
            return storage.query<Row>(text, values)
          },
        }
        const message = { type: "Reconcile", body: { reason: "r" } } as const
        const requests = keys.map(key => ({
          ...{ key, workspaceId: store.workspaceId, state: store.states.get(key) },
          inputs: [{ _tag: "Message", id: randomUUID(), message } as const],
        }))
        const facts = yield* targetKind.facts(tx, requests, store.now)
        expect([...facts.values()].every(one => one._tag === "Found")).toBe(true)
        return count
      })
      const keys = [...store.keys.values()].slice(1) // those of production
      expect(yield* statements(keys)).toBe(yield* statements(keys.slice(-1)))
    }),
  )
})
