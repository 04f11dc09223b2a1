/** Release targets, releases and verifications as the API answers them. Written by planner, target and verifier batches. */
import type { StorageError, Tx } from "@sluice/actor/ports"
import type { WorkspaceId } from "@sluice/domain/ids"
import type { JsonObject } from "@sluice/domain/json"
import type { MeasurementStatus, MetricSpec, VerificationStatus } from "@sluice/domain/verification"
import { Effect } from "effect"
import type { Listing, Window } from "./listing.ts"

const ms = (column: string, name: string) => `floor(extract(epoch FROM ${column}) * 1000)::float8 AS "${name}"`
const byId = <Row extends { readonly id: string }>(rows: ReadonlyArray<Row>): ReadonlyMap<string, Row> =>
  new Map(rows.map(row => [row.id, row]))

export interface ReleaseRow {
  readonly id: string
  readonly deploymentId: string
  readonly environmentId: string
  readonly resourceId: string
  readonly versionId: string
  readonly variables: JsonObject
  readonly createdAt: number
}

export const findReleases = (
  tx: Tx,
  workspaceId: WorkspaceId,
  ids: ReadonlyArray<string>,
): Effect.Effect<ReadonlyMap<string, ReleaseRow>, StorageError> =>
  tx
    .query<ReleaseRow>(
      `SELECT id, deployment_id AS "deploymentId", environment_id AS "environmentId", resource_id AS "resourceId",
         version_id AS "versionId", variables, ${ms("created_at", "createdAt")}
       FROM release WHERE workspace_id = $1 AND id = ANY($2::uuid[])`,
      [workspaceId, ids],
    )
    .pipe(Effect.map(byId))

export interface StatusRow {
  readonly key: string
  readonly phase: string
  readonly desiredReleaseId: string | null
  readonly currentReleaseId: string | null
  readonly goodReleaseId: string | null
  readonly blocked: unknown
  readonly hold: unknown
}

/** By key; targets that were never evaluated have no entry. */
export const findStatuses = (
  tx: Tx,
  workspaceId: WorkspaceId,
  keys: ReadonlyArray<string>,
): Effect.Effect<ReadonlyMap<string, StatusRow>, StorageError> =>
  tx
    .query<StatusRow>(
      `SELECT key, phase, desired_release_id AS "desiredReleaseId", current_release_id AS "currentReleaseId",
         good_release_id AS "goodReleaseId", blocked, hold
       FROM target_status WHERE workspace_id = $1 AND key = ANY($2::text[])`,
      [workspaceId, keys],
    )
    .pipe(Effect.map(rows => new Map(rows.map(row => [row.key, row]))))

export interface QuarantinedRow {
  readonly key: string
  readonly versionId: string
  readonly reason: string | null
  readonly at: number
}

export const findQuarantined = (
  tx: Tx,
  keys: ReadonlyArray<string>,
): Effect.Effect<ReadonlyArray<QuarantinedRow>, StorageError> =>
  tx.query<QuarantinedRow>(
    `SELECT target_key AS key, version_id AS "versionId", quarantine_reason AS reason, ${ms("quarantined_at", "at")}
     FROM target_version WHERE target_key = ANY($1::text[]) AND quarantined_at IS NOT NULL
     ORDER BY quarantined_at, version_id`,
    [keys],
  )

export interface TargetRow {
  readonly key: string
  readonly resourceId: string
  readonly environmentId: string
  readonly deploymentId: string
  readonly present: boolean
}
const targetColumns = `t.key, t.resource_id AS "resourceId", t.environment_id AS "environmentId",
  t.deployment_id AS "deploymentId", t.present`

export const findTarget = (
  tx: Tx,
  workspaceId: WorkspaceId,
  key: string,
): Effect.Effect<TargetRow | undefined, StorageError> =>
  tx
    .query<TargetRow>(`SELECT ${targetColumns} FROM release_target t WHERE t.workspace_id = $1 AND t.key = $2`, [
      workspaceId,
      key,
    ])
    .pipe(Effect.map(rows => rows[0]))

/** One of the targets the resource has in the deployment: the first by environment name. */
export const findTargetOfResource = (
  tx: Tx,
  where: { readonly workspaceId: WorkspaceId; readonly identifier: string; readonly deploymentId: string },
): Effect.Effect<TargetRow | undefined, StorageError> =>
  tx
    .query<TargetRow>(
      `SELECT ${targetColumns} FROM release_target t
       JOIN resource r ON r.id = t.resource_id JOIN environment e ON e.id = t.environment_id
       WHERE t.workspace_id = $1 AND r.identifier = $2 AND r.deleted_at IS NULL AND t.deployment_id = $3 AND t.present
       ORDER BY e.name LIMIT 1`,
      [where.workspaceId, where.identifier, where.deploymentId],
    )
    .pipe(Effect.map(rows => rows[0]))

/** The targets of one deployment in one environment, by resource identifier. */
export const listTargets = Effect.fnUntraced(function* (
  tx: Tx,
  pair: { readonly workspaceId: WorkspaceId; readonly deploymentId: string; readonly environmentId: string },
  window: Window,
): Effect.fn.Return<Listing<TargetRow>, StorageError> {
  const from = `FROM release_target t JOIN resource r ON r.id = t.resource_id
    WHERE t.workspace_id = $1 AND t.deployment_id = $2 AND t.environment_id = $3 AND t.present`
  const values = [pair.workspaceId, pair.deploymentId, pair.environmentId]
  const items = yield* tx.query<TargetRow>(`SELECT ${targetColumns} ${from} ORDER BY r.identifier LIMIT $4 OFFSET $5`, [
    ...values,
    window.limit,
    window.offset,
  ])
  const [count] = yield* tx.query<{ total: number }>(`SELECT count(*) AS total ${from}`, values)
  return { items, total: count?.total ?? 0 }
})

export interface MeasurementRow {
  readonly metric: number
  readonly status: MeasurementStatus
  readonly message: string | null
  readonly data: JsonObject | null
  readonly measuredAt: number
}
export interface VerificationRow {
  readonly id: string
  readonly jobSetId: string
  readonly status: VerificationStatus
  readonly message: string | null
  readonly metrics: ReadonlyArray<MetricSpec>
  readonly createdAt: number
  readonly measurements: ReadonlyArray<MeasurementRow>
}

/** The verifications of each job set, with their measurements in order. */
export const verificationsOf = Effect.fnUntraced(function* (
  tx: Tx,
  jobSetIds: ReadonlyArray<string>,
): Effect.fn.Return<ReadonlyArray<VerificationRow>, StorageError> {
  const rows = yield* tx.query<Omit<VerificationRow, "measurements">>(
    `SELECT id, job_set_id AS "jobSetId", status, message, metrics, ${ms("created_at", "createdAt")}
     FROM verification WHERE job_set_id = ANY($1::uuid[]) ORDER BY created_at, id`,
    [jobSetIds],
  )
  const measured = yield* tx.query<MeasurementRow & { readonly of: string }>(
    `SELECT verification_id AS of, metric, status, message, data, ${ms("measured_at", "measuredAt")}
     FROM measurement WHERE verification_id = ANY($1::uuid[]) ORDER BY verification_id, metric, round`,
    [rows.map(row => row.id)],
  )
  return rows.map(row => ({ ...row, measurements: measured.filter(each => each.of === row.id) }))
})
