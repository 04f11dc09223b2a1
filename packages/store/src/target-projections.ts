/**
 * The tables that the target actor writes in its batches, set-based and in key order: status, releases, waits, recorded
 * answers, quarantines. Times go in as epoch milliseconds. Every writer may be repeated with the same rows.
 */
import type { StorageError, Tx } from "@sluice/actor/ports"
import { Effect } from "effect"

export interface TargetStatusRow {
  readonly key: string
  readonly workspaceId: string
  readonly deploymentId: string
  readonly environmentId: string
  readonly resourceId: string
  readonly phase: string
  readonly desiredReleaseId?: string
  readonly currentReleaseId?: string
  readonly currentVersionId?: string
  readonly goodReleaseId?: string
  /** The job set that may be acting. */
  readonly jobSetId?: string
  readonly blocked?: { readonly [key: string]: unknown }
  readonly hold?: { readonly [key: string]: unknown }
  readonly at: number
}

/** Of several rows of one key the last stands: it was produced last. */
const lastOf = <Row>(rows: ReadonlyArray<Row>, keyOf: (row: Row) => string): ReadonlyArray<Row> =>
  [...new Map(rows.map(row => [keyOf(row), row])).entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)

const time = (column: string) => `'epoch'::timestamptz + row.${column} * interval '1 millisecond'`

const run = (tx: Tx, text: string, rows: ReadonlyArray<unknown>): Effect.Effect<void, StorageError> =>
  rows.length === 0 ? Effect.void : Effect.asVoid(tx.query(text, [JSON.stringify(rows)]))

export const targetStatusProjection = (tx: Tx, rows: ReadonlyArray<TargetStatusRow>) =>
  run(
    tx,
    `INSERT INTO target_status (key, workspace_id, deployment_id, environment_id, resource_id, phase, desired_release_id,
       current_release_id, current_version_id, good_release_id, job_set_id, blocked, hold, evaluated_at, updated_at)
     SELECT key, "workspaceId", "deploymentId", "environmentId", "resourceId", phase, "desiredReleaseId",
       "currentReleaseId", "currentVersionId", "goodReleaseId", "jobSetId", blocked, hold, ${time("at")}, ${time("at")}
     FROM jsonb_to_recordset($1::jsonb) AS row (key text, "workspaceId" uuid, "deploymentId" uuid, "environmentId" uuid,
       "resourceId" uuid, phase text, "desiredReleaseId" uuid, "currentReleaseId" uuid, "currentVersionId" uuid,
       "goodReleaseId" uuid, "jobSetId" uuid, blocked jsonb, hold jsonb, at float8)
     ORDER BY key
     ON CONFLICT (key) DO UPDATE SET phase = excluded.phase,
       desired_release_id = coalesce(excluded.desired_release_id, target_status.desired_release_id),
       current_release_id = excluded.current_release_id, current_version_id = excluded.current_version_id,
       good_release_id = excluded.good_release_id, job_set_id = excluded.job_set_id, blocked = excluded.blocked,
       hold = excluded.hold, evaluated_at = excluded.evaluated_at, updated_at = excluded.updated_at`,
    lastOf(rows, row => row.key),
  )

export interface ReleaseRow {
  readonly id: string
  readonly workspaceId: string
  readonly targetKey: string
  readonly deploymentId: string
  readonly environmentId: string
  readonly resourceId: string
  readonly versionId: string
  readonly createdAt: number
}

export const releaseProjection = (tx: Tx, rows: ReadonlyArray<ReleaseRow>) =>
  run(
    tx,
    `INSERT INTO release (id, workspace_id, target_key, deployment_id, environment_id, resource_id, version_id, created_at)
     SELECT id, "workspaceId", "targetKey", "deploymentId", "environmentId", "resourceId", "versionId", ${time('"createdAt"')}
     FROM jsonb_to_recordset($1::jsonb) AS row (id uuid, "workspaceId" uuid, "targetKey" text, "deploymentId" uuid,
       "environmentId" uuid, "resourceId" uuid, "versionId" uuid, "createdAt" float8)
     ORDER BY id
     ON CONFLICT (id) DO NOTHING`,
    rows,
  )

/** All subjects of a target: what it waited on before and does not any more goes. */
export interface WaitRow {
  readonly targetKey: string
  readonly workspaceId: string
  readonly subjects: ReadonlyArray<string>
}

export const waitProjection = Effect.fnUntraced(function* (tx: Tx, rows: ReadonlyArray<WaitRow>) {
  const last = lastOf(rows, row => row.targetKey)
  if (last.length === 0) return
  const waits = last.flatMap(({ targetKey, workspaceId, subjects }) =>
    subjects.map(subject => ({ targetKey, workspaceId, subject })),
  )
  yield* tx.query(
    `DELETE FROM wait w WHERE w.target_key = ANY($1::text[]) AND NOT EXISTS (
       SELECT 1 FROM jsonb_to_recordset($2::jsonb) AS row ("targetKey" text, subject text)
       WHERE row."targetKey" = w.target_key AND row.subject = w.subject)`,
    [last.map(row => row.targetKey), JSON.stringify(waits)],
  )
  yield* run(
    tx,
    `INSERT INTO wait (subject, target_key, workspace_id)
     SELECT subject, "targetKey", "workspaceId"
     FROM jsonb_to_recordset($1::jsonb) AS row ("targetKey" text, "workspaceId" uuid, subject text)
     ORDER BY subject, "targetKey"
     ON CONFLICT (subject, target_key) DO NOTHING`,
    waits,
  )
})

export interface WhyRow {
  readonly targetKey: string
  readonly workspaceId: string
  readonly at: number
  /** The how-manieth recorded answer of the target. */
  readonly sequence: number
  readonly phase: string
  readonly desiredVersionId?: string
  readonly answer: unknown
}

export const whyProjection = (tx: Tx, rows: ReadonlyArray<WhyRow>) =>
  run(
    tx,
    `INSERT INTO target_why (target_key, at, sequence, workspace_id, phase, desired_version_id, answer)
     SELECT "targetKey", ${time("at")}, sequence, "workspaceId", phase, "desiredVersionId", answer
     FROM jsonb_to_recordset($1::jsonb) AS row ("targetKey" text, "workspaceId" uuid, at float8, sequence bigint, phase text,
       "desiredVersionId" uuid, answer jsonb)
     ORDER BY "targetKey", sequence
     ON CONFLICT (target_key, sequence) DO NOTHING`,
    rows,
  )

export type QuarantineRow =
  | {
      readonly _tag: "Quarantined"
      readonly deploymentId: string
      /** Environment id, or `deployment`. */
      readonly scope: string
      readonly versionId: string
      readonly workspaceId: string
      readonly reason: string
      readonly at: number
    }
  | {
      readonly _tag: "Released"
      readonly deploymentId: string
      readonly scope: string
      readonly versionId: string
      readonly at: number
    }

/** The first reason stands until a person releases it. */
export const quarantineProjection = Effect.fnUntraced(function* (tx: Tx, rows: ReadonlyArray<QuarantineRow>) {
  const last = lastOf(rows, row => `${row.deploymentId}:${row.scope}:${row.versionId}`)
  yield* run(
    tx,
    `INSERT INTO quarantine AS q (deployment_id, scope, version_id, workspace_id, reason, at)
     SELECT "deploymentId", scope, "versionId", "workspaceId", reason, ${time("at")}
     FROM jsonb_to_recordset($1::jsonb) AS row ("deploymentId" uuid, scope text, "versionId" uuid, "workspaceId" uuid,
       reason text, at float8)
     ORDER BY 1, 2, 3
     ON CONFLICT (deployment_id, scope, version_id) DO UPDATE
       SET reason = excluded.reason, at = excluded.at, released_at = NULL WHERE q.released_at IS NOT NULL`,
    last.filter(row => row._tag === "Quarantined"),
  )
  yield* run(
    tx,
    `UPDATE quarantine q SET released_at = ${time("at")}
     FROM jsonb_to_recordset($1::jsonb) AS row ("deploymentId" uuid, scope text, "versionId" uuid, at float8)
     WHERE q.deployment_id = row."deploymentId" AND q.scope = row.scope AND q.version_id = row."versionId"
       AND q.released_at IS NULL`,
    last.filter(row => row._tag === "Released"),
  )
})
