import { randomUUID } from "node:crypto"
import { expect, layer } from "@effect/vitest"
import { Storage } from "@sluice/actor/ports"
import {
  type MeasurementRow,
  measurementProjection,
  type VerificationRow,
  verificationProjection,
} from "@sluice/store/verification-projections"
import { testStore } from "@sluice/testkit/shared"
import { Effect } from "effect"
import { metric, targetKey } from "./drive.ts"

const started = (id: string, workspaceId: string): VerificationRow => ({
  _tag: "Started",
  id,
  workspaceId,
  targetKey,
  jobSetId: randomUUID(),
  jobIds: [randomUUID()],
  releaseId: randomUUID(),
  metrics: [metric()],
  createdAt: 1_700_000_000_123,
})

const write = Effect.fnUntraced(function* (
  verifications: ReadonlyArray<VerificationRow>,
  measurements: ReadonlyArray<MeasurementRow>,
) {
  const storage = yield* Storage
  yield* storage.transaction("repeatable read", tx =>
    Effect.andThen(verificationProjection(tx, verifications), measurementProjection(tx, measurements)),
  )
})

const read = (table: string, column: string, id: string) =>
  Effect.flatMap(Storage, storage =>
    storage.query(`SELECT * FROM ${table} WHERE ${column} = $1 ORDER BY 1, 2, 3`, [id]),
  )

layer(testStore, { excludeTestServices: true })("the rows of verifications", it => {
  it.effect("show one that is running, and how it ended, also when both come in one batch", () =>
    Effect.gen(function* () {
      const workspaceId = randomUUID()
      const [running, ended] = [randomUUID(), randomUUID()]
      const end = { id: ended, status: "failed", message: "no", endedAt: 1_700_000_001_000 } as const
      yield* write([{ _tag: "Ended", ...end }, started(ended, workspaceId), started(running, workspaceId)], [])
      expect(yield* read("verification", "id", running)).toMatchObject([
        { status: "running", metrics: [metric()], created_at: new Date(1_700_000_000_123), ended_at: null },
      ])
      expect(yield* read("verification", "id", ended)).toMatchObject([
        { status: "failed", message: "no", ended_at: new Date(1_700_000_001_000), target_key: targetKey },
      ])
    }),
  )

  it.effect("keep the first measurement of a (metric, round), when a batch is repeated", () =>
    Effect.gen(function* () {
      const verificationId = randomUUID()
      const row = (round: number, more: Partial<MeasurementRow>): MeasurementRow => ({
        verificationId,
        workspaceId: randomUUID(),
        metric: 0,
        round,
        status: "passed",
        measuredAt: 1_700_000_000_500,
        ...more,
      })
      yield* write([], [row(1, { data: { ok: true } }), row(2, { status: "error", message: "no answer" })])
      yield* write([], [row(1, { status: "failed" })])
      expect(yield* read("measurement", "verification_id", verificationId)).toMatchObject([
        { round: 1, status: "passed", data: { ok: true }, message: null, measured_at: new Date(1_700_000_000_500) },
        { round: 2, status: "error", data: null, message: "no answer" },
      ])
      yield* write([], [])
    }),
  )
})
