/**
 * The tables `verification` and `measurement`: written by the verification actor's batches, set-based. Times go in as
 * epoch milliseconds. Both writers may be repeated with the same rows.
 */
import type { Tx } from "@sluice/actor/ports"
import type { JsonObject } from "@sluice/domain/json"
import type { MeasurementStatus, MetricSpec } from "@sluice/domain/verification"
import { Effect } from "effect"

export type VerificationRow =
  | {
      readonly _tag: "Started"
      readonly id: string
      readonly workspaceId: string
      readonly targetKey: string
      readonly jobSetId: string
      readonly jobIds: ReadonlyArray<string>
      readonly releaseId: string
      readonly metrics: ReadonlyArray<MetricSpec>
      readonly createdAt: number
    }
  | {
      readonly _tag: "Ended"
      readonly id: string
      readonly status: "passed" | "failed"
      readonly message: string
      readonly endedAt: number
    }

export interface MeasurementRow {
  readonly verificationId: string
  readonly workspaceId: string
  readonly metric: number
  readonly round: number
  readonly status: MeasurementStatus
  readonly message?: string
  readonly data?: JsonObject
  readonly measuredAt: number
}

/** New ones first: a verification may start and end within one batch. */
export const verificationProjection = Effect.fnUntraced(function* (tx: Tx, rows: ReadonlyArray<VerificationRow>) {
  const started = rows.filter(row => row._tag === "Started")
  const ended = rows.filter(row => row._tag === "Ended")
  if (started.length > 0) {
    yield* tx.query(
      `INSERT INTO verification
         (id, workspace_id, target_key, job_set_id, job_ids, release_id, status, metrics, created_at)
       SELECT id, "workspaceId", "targetKey", "jobSetId", "jobIds", "releaseId", 'running', metrics,
              to_timestamp("createdAt" / 1000)
       FROM jsonb_to_recordset($1::jsonb) AS row (id uuid, "workspaceId" uuid, "targetKey" text, "jobSetId" uuid,
              "jobIds" jsonb, "releaseId" uuid, metrics jsonb, "createdAt" float8)
       ORDER BY id
       ON CONFLICT (id) DO NOTHING`,
      [JSON.stringify(started)],
    )
  }
  if (ended.length > 0) {
    yield* tx.query(
      `UPDATE verification SET status = row.status, message = row.message, ended_at = to_timestamp(row."endedAt" / 1000)
       FROM jsonb_to_recordset($1::jsonb) AS row (id uuid, status text, message text, "endedAt" float8)
       WHERE verification.id = row.id`,
      [JSON.stringify(ended)],
    )
  }
})

export const measurementProjection = Effect.fnUntraced(function* (tx: Tx, rows: ReadonlyArray<MeasurementRow>) {
  if (rows.length === 0) return
  yield* tx.query(
    `INSERT INTO measurement (verification_id, metric, round, workspace_id, status, message, data, measured_at)
     SELECT "verificationId", metric, round, "workspaceId", status, message, data, to_timestamp("measuredAt" / 1000)
     FROM jsonb_to_recordset($1::jsonb) AS row ("verificationId" uuid, metric int, round int, "workspaceId" uuid,
            status text, message text, data jsonb, "measuredAt" float8)
     ORDER BY 1, 2, 3
     ON CONFLICT (verification_id, metric, round) DO NOTHING`,
    [JSON.stringify(rows)],
  )
})
