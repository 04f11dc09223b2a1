/** Who approved or rejected a version in an environment: one record per user, the last word counts. */
import type { StorageError, Tx } from "@sluice/actor/ports"
import type { WorkspaceId } from "@sluice/domain/ids"
import { and, asc, eq } from "drizzle-orm"
import { Effect } from "effect"
import { approval } from "./schema.ts"
import { within } from "./storage.ts"

export type ApprovalRow = typeof approval.$inferSelect

export interface NewApprovals {
  readonly workspaceId: WorkspaceId
  readonly versionId: string
  readonly userId: string
  readonly status: "approved" | "rejected"
  readonly reason: string | null
  readonly environmentIds: ReadonlyArray<string>
}

/** Written in key order, so that two people approving at once cannot deadlock. */
export const upsertApprovals = (tx: Tx, approvals: NewApprovals): Effect.Effect<void, StorageError> =>
  tx
    .query(
      `INSERT INTO approval (version_id, environment_id, user_id, workspace_id, status, reason)
       SELECT $1, environment_id, $2, $3, $4, $5 FROM unnest($6::uuid[]) AS environment_id ORDER BY environment_id
       ON CONFLICT (version_id, environment_id, user_id)
       DO UPDATE SET status = excluded.status, reason = excluded.reason, created_at = now()`,
      [
        approvals.versionId,
        approvals.userId,
        approvals.workspaceId,
        approvals.status,
        approvals.reason,
        approvals.environmentIds,
      ],
    )
    .pipe(Effect.asVoid)

export const listApprovals = (
  tx: Tx,
  workspaceId: WorkspaceId,
  versionId: string,
): Effect.Effect<ReadonlyArray<ApprovalRow>, StorageError> =>
  within(tx, db =>
    db
      .select()
      .from(approval)
      .where(and(eq(approval.workspaceId, workspaceId), eq(approval.versionId, versionId as ApprovalRow["versionId"])))
      .orderBy(asc(approval.createdAt), asc(approval.environmentId), asc(approval.userId)),
  )
