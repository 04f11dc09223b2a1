/** Jobs as the API answers them. The table is written by the dispatcher's batches alone. */
import type { StorageError, Tx } from "@sluice/actor/ports"
import type { WorkspaceId } from "@sluice/domain/ids"
import type { JobStatus } from "@sluice/domain/job-status"
import type { JsonObject, Metadata } from "@sluice/domain/json"
import { Effect } from "effect"
import type { Listing, Window } from "./listing.ts"

export interface JobRow {
  readonly id: string
  readonly jobSetId: string
  readonly targetKey: string
  readonly releaseId: string
  readonly jobAgentId: string | null
  readonly status: JobStatus
  readonly attempt: number
  readonly try: number
  readonly reason: string | null
  readonly message: string | null
  readonly externalId: string | null
  readonly ignoredReports: number
  readonly jobAgentConfig: JsonObject
  readonly dispatchContext: JsonObject
  readonly metadata: Metadata
  readonly outputs: JsonObject | null
  /** Epoch milliseconds, these and those below. */
  readonly deadline: number | null
  readonly createdAt: number
  readonly startedAt: number | null
  readonly completedAt: number | null
  readonly updatedAt: number
}

const ms = (column: string, name: string) => `floor(extract(epoch FROM ${column}) * 1000)::float8 AS "${name}"`

/** The columns of `job`, under the names of `JobRow`. */
export const jobColumns = `id, job_set_id AS "jobSetId", target_key AS "targetKey", release_id AS "releaseId",
  job_agent_id AS "jobAgentId", status, attempt, try, reason, message, external_id AS "externalId",
  ignored_reports AS "ignoredReports", job_agent_config AS "jobAgentConfig", dispatch_context AS "dispatchContext",
  metadata, outputs, ${ms("deadline", "deadline")}, ${ms("created_at", "createdAt")}, ${ms("started_at", "startedAt")},
  ${ms("completed_at", "completedAt")}, ${ms("updated_at", "updatedAt")}`

export const findJob = (
  tx: Pick<Tx, "query">,
  workspaceId: WorkspaceId,
  id: string,
): Effect.Effect<JobRow | undefined, StorageError> =>
  tx
    .query<JobRow>(`SELECT ${jobColumns} FROM job WHERE workspace_id = $1 AND id = $2`, [workspaceId, id])
    .pipe(Effect.map(rows => rows[0]))

export interface JobFilter {
  readonly workspaceId: WorkspaceId
  readonly jobAgentId?: string
  readonly status?: JobStatus
  readonly targetKey?: string
}

/** Newest first. */
export const listJobs = Effect.fnUntraced(function* (
  tx: Tx,
  filter: JobFilter,
  window: Window,
): Effect.fn.Return<Listing<JobRow>, StorageError> {
  const wanted = [
    ["workspace_id", filter.workspaceId],
    ["job_agent_id", filter.jobAgentId],
    ["status", filter.status],
    ["target_key", filter.targetKey],
  ].filter(([, value]) => value !== undefined)
  const where = wanted.map(([column], index) => `${column} = $${index + 1}`).join(" AND ")
  const values = wanted.map(([, value]) => value)
  const items = yield* tx.query<JobRow>(
    `SELECT ${jobColumns} FROM job WHERE ${where} ORDER BY created_at DESC, id DESC
     LIMIT $${values.length + 1} OFFSET $${values.length + 2}`,
    [...values, window.limit, window.offset],
  )
  const [count] = yield* tx.query<{ total: number }>(`SELECT count(*) AS total FROM job WHERE ${where}`, values)
  return { items, total: count?.total ?? 0 }
})

/** The newest job of each target; targets without one have no entry. */
export const latestJobs = (
  tx: Tx,
  keys: ReadonlyArray<string>,
): Effect.Effect<ReadonlyMap<string, JobRow>, StorageError> =>
  tx
    .query<JobRow>(
      `SELECT ${jobColumns} FROM unnest($1::text[]) AS k (key), LATERAL
         (SELECT * FROM job WHERE target_key = k.key ORDER BY created_at DESC, id DESC LIMIT 1) AS latest`,
      [keys],
    )
    .pipe(Effect.map(rows => new Map(rows.map(row => [row.targetKey, row]))))
