/** The recorded answers to "why", and what each version came to on a target. Written by the target actor's batches. */
import type { StorageError, Tx } from "@sluice/actor/ports"
import type { WorkspaceId } from "@sluice/domain/ids"
import { Effect } from "effect"

const ms = (column: string, name: string) => `floor(extract(epoch FROM ${column}) * 1000)::float8 AS "${name}"`

export interface WhyRow {
  readonly sequence: number
  readonly at: number
  readonly phase: string
  readonly desiredVersionId: string | null
  readonly answer: unknown
}
const whyColumns = `sequence, ${ms("at", "at")}, phase, desired_version_id AS "desiredVersionId", answer`

export interface WhyQuestion {
  readonly workspaceId: WorkspaceId
  readonly key: string
  /** Epoch milliseconds: the answer that held then. Absent: the last one. */
  readonly at?: number
  /** The last answer that speaks of this version. */
  readonly versionId?: string
}

export const findWhy = (tx: Tx, question: WhyQuestion): Effect.Effect<WhyRow | undefined, StorageError> =>
  tx
    .query<WhyRow>(
      `SELECT ${whyColumns} FROM target_why
       WHERE workspace_id = $1 AND target_key = $2
         AND ($3::float8 IS NULL OR at <= to_timestamp($3 / 1000))
         AND ($4::text IS NULL OR desired_version_id::text = $4 OR position($4 in answer::text) > 0)
       ORDER BY sequence DESC LIMIT 1`,
      [question.workspaceId, question.key, question.at ?? null, question.versionId ?? null],
    )
    .pipe(Effect.map(rows => rows[0]))

/** Newest first, at most `limit`, older than sequence `before`. */
export const listWhy = (
  tx: Tx,
  scope: { readonly workspaceId: WorkspaceId; readonly key: string; readonly before?: number },
  limit: number,
): Effect.Effect<ReadonlyArray<WhyRow>, StorageError> =>
  tx.query<WhyRow>(
    `SELECT ${whyColumns} FROM target_why
     WHERE workspace_id = $1 AND target_key = $2 AND ($3::bigint IS NULL OR sequence < $3)
     ORDER BY sequence DESC LIMIT $4`,
    [scope.workspaceId, scope.key, scope.before ?? null, limit],
  )

export interface TargetVersionRow {
  readonly versionId: string
  readonly tag: string | null
  readonly verification: string
  readonly startedAt: number | null
  readonly verifiedAt: number | null
  readonly settledAt: number | null
  readonly failedAt: number | null
  readonly quarantinedAt: number | null
  readonly quarantineReason: string | null
}

export const listTargetVersions = (
  tx: Tx,
  workspaceId: WorkspaceId,
  key: string,
  limit: number,
): Effect.Effect<ReadonlyArray<TargetVersionRow>, StorageError> =>
  tx.query<TargetVersionRow>(
    `SELECT t.version_id AS "versionId", v.tag, t.verification, ${ms("t.started_at", "startedAt")},
       ${ms("t.verified_at", "verifiedAt")}, ${ms("t.settled_at", "settledAt")}, ${ms("t.failed_at", "failedAt")},
       ${ms("t.quarantined_at", "quarantinedAt")}, t.quarantine_reason AS "quarantineReason"
     FROM target_version t LEFT JOIN deployment_version v ON v.id = t.version_id
     WHERE t.workspace_id = $1 AND t.target_key = $2
     ORDER BY v.created_at DESC NULLS LAST, t.version_id DESC LIMIT $3`,
    [workspaceId, key, limit],
  )
