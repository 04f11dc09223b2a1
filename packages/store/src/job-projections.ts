/**
 * The `job` and `job_set` rows, written by the job actor in the batch that decided them and by nobody else. Several changes
 * of one row in a batch are folded first, since one statement may touch a row once. Times are epoch milliseconds.
 */
import type { StorageError, Tx } from "@sluice/actor/ports"
import type { JobStatus, TerminalJobStatus } from "@sluice/domain/job-status"
import type { JsonObject, Metadata } from "@sluice/domain/json"
import { Effect } from "effect"

export interface JobCreation {
  readonly _tag: "Created"
  readonly id: string
  readonly jobSetId: string
  readonly workspaceId: string
  readonly targetKey: string
  readonly releaseId: string
  readonly jobAgentId: string | null
  readonly status: JobStatus
  readonly attempt: number
  readonly try: number
  readonly deadline: number
  readonly message: string | null
  readonly jobAgentConfig: JsonObject
  readonly dispatchContext: JsonObject
  readonly metadata: Metadata
  readonly createdAt: number
  readonly completedAt: number | null
}

/** An absent field keeps what the row says; null clears it. */
export interface JobChange {
  readonly _tag: "Changed"
  readonly id: string
  readonly workspaceId: string
  readonly status: JobStatus
  readonly attempt: number
  readonly ignoredReports: number
  readonly updatedAt: number
  readonly reason?: string | null
  readonly message?: string
  readonly externalId?: string
  /** Added to the links the job has; kept in its metadata under `ctrlplane/links`, as text, like the contract says. */
  readonly links?: { readonly [label: string]: string }
  readonly outputs?: JsonObject
  /** Counts the first time only. */
  readonly startedAt?: number
  readonly completedAt?: number
}

export type JobRow = JobCreation | JobChange

export const writeJobs = Effect.fnUntraced(function* (
  tx: Tx,
  rows: ReadonlyArray<JobRow>,
): Effect.fn.Return<void, StorageError> {
  const created = rows.filter(row => row._tag === "Created")
  const changed = foldChanges(rows.filter(row => row._tag === "Changed"))
  if (created.length > 0) {
    yield* tx.query(
      `INSERT INTO job (id, job_set_id, workspace_id, target_key, release_id, job_agent_id, status, attempt, try, deadline,
                        message, job_agent_config, dispatch_context, metadata, created_at, completed_at, updated_at)
       SELECT id, "jobSetId", "workspaceId", "targetKey", "releaseId", "jobAgentId", status, attempt, try,
              ${instant("deadline")}, message, "jobAgentConfig", "dispatchContext", metadata,
              ${instant('"createdAt"')}, ${instant('"completedAt"')}, ${instant('"createdAt"')}
         FROM jsonb_to_recordset($1::jsonb) AS row (
           id uuid, "jobSetId" uuid, "workspaceId" uuid, "targetKey" text, "releaseId" uuid, "jobAgentId" uuid, status text,
           attempt int, try int, deadline float8, message text, "jobAgentConfig" jsonb, "dispatchContext" jsonb,
           metadata jsonb, "createdAt" float8, "completedAt" float8)
        ORDER BY id`,
      [JSON.stringify(created)],
    )
  }
  if (changed.length > 0) yield* tx.query(updateJobs, [JSON.stringify(changed)])
})

const updateJobs = `
  UPDATE job SET
    status = change->>'status',
    attempt = (change->>'attempt')::int,
    ignored_reports = (change->>'ignoredReports')::int,
    updated_at = ${instant("(change->>'updatedAt')::float8")},
    reason = CASE WHEN change ? 'reason' THEN change->>'reason' ELSE reason END,
    message = coalesce(change->>'message', message),
    external_id = coalesce(change->>'externalId', external_id),
    outputs = coalesce(change->'outputs', outputs),
    metadata = CASE WHEN change ? 'links'
      THEN metadata || jsonb_build_object('ctrlplane/links',
        (coalesce((metadata->>'ctrlplane/links')::jsonb, '{}') || (change->'links'))::text)
      ELSE metadata END,
    started_at = coalesce(started_at, ${instant("(change->>'startedAt')::float8")}),
    completed_at = coalesce(completed_at, ${instant("(change->>'completedAt')::float8")})
  FROM jsonb_array_elements($1::jsonb) AS change
  WHERE job.id = (change->>'id')::uuid AND job.workspace_id = (change->>'workspaceId')::uuid`

/** Later fields win, links add up; the first start counts. Exported for its test. */
export const foldChanges = (changes: ReadonlyArray<JobChange>): ReadonlyArray<JobChange> => {
  const folded = new Map<string, JobChange>()
  for (const change of changes) {
    const before = folded.get(change.id)
    const links = { ...before?.links, ...change.links }
    const startedAt = before?.startedAt ?? change.startedAt
    folded.set(change.id, {
      ...before,
      ...change,
      ...(Object.keys(links).length === 0 ? {} : { links }),
      ...(startedAt === undefined ? {} : { startedAt }),
    })
  }
  return [...folded.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

export type JobSetRow =
  | {
      readonly _tag: "Started"
      readonly id: string
      readonly workspaceId: string
      readonly targetKey: string
      readonly releaseId: string
      readonly versionId: string
      readonly try: number
      readonly purpose: string
      readonly createdAt: number
    }
  | {
      readonly _tag: "Ended"
      readonly id: string
      readonly workspaceId: string
      readonly outcome: TerminalJobStatus
      readonly endedAt: number
    }

/**
 * Ends come before starts: the unique index (promise P1) must see a target's old set gone. A set that ended in the batch
 * that started it is inserted as ended, so that it never holds the index at all.
 */
export const writeJobSets = Effect.fnUntraced(function* (
  tx: Tx,
  rows: ReadonlyArray<JobSetRow>,
): Effect.fn.Return<void, StorageError> {
  const started = rows.filter(row => row._tag === "Started")
  const ended = new Map(rows.filter(row => row._tag === "Ended").map(row => [row.id, row]))
  const startedIds = new Set(started.map(row => row.id))
  const endedBefore = [...ended.values()]
    .filter(row => !startedIds.has(row.id))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
  if (endedBefore.length > 0) {
    yield* tx.query(
      `UPDATE job_set SET active = false, outcome = row.outcome, ended_at = ${instant('row."endedAt"')}
         FROM jsonb_to_recordset($1::jsonb) AS row (id uuid, "workspaceId" uuid, outcome text, "endedAt" float8)
        WHERE job_set.id = row.id AND job_set.workspace_id = row."workspaceId"`,
      [JSON.stringify(endedBefore)],
    )
  }
  if (started.length > 0) {
    const full = started.map(row => {
      const end = ended.get(row.id)
      return { ...row, active: end === undefined, outcome: end?.outcome ?? null, endedAt: end?.endedAt ?? null }
    })
    yield* tx.query(
      `INSERT INTO job_set (id, workspace_id, target_key, release_id, version_id, try, purpose, active, outcome, created_at, ended_at)
       SELECT id, "workspaceId", "targetKey", "releaseId", "versionId", try, purpose, active, outcome,
              ${instant('"createdAt"')}, ${instant('"endedAt"')}
         FROM jsonb_to_recordset($1::jsonb) AS row (
           id uuid, "workspaceId" uuid, "targetKey" text, "releaseId" uuid, "versionId" uuid, try int, purpose text,
           active boolean, outcome text, "createdAt" float8, "endedAt" float8)
        ORDER BY id`,
      [JSON.stringify(full)],
    )
  }
})

/** Epoch milliseconds to a timestamp; null stays null. */
function instant(milliseconds: string): string {
  return `to_timestamp(${milliseconds} / 1000.0)`
}
