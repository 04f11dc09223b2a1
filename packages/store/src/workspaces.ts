/** Workspaces, always seen through a user's membership: what a user is no member of does not exist for them. */
import type { StorageError, Tx } from "@sluice/actor/ports"
import type { UserId, WorkspaceId } from "@sluice/domain/ids"
import { and, asc, eq, isNull } from "drizzle-orm"
import { Effect } from "effect"
import { workspace, workspaceMember } from "./schema.ts"
import { within } from "./storage.ts"

export type WorkspaceRow = typeof workspace.$inferSelect

export const listWorkspaces = (tx: Tx, userId: UserId): Effect.Effect<ReadonlyArray<WorkspaceRow>, StorageError> =>
  within(tx, db =>
    db
      .select({ workspace })
      .from(workspace)
      .innerJoin(workspaceMember, eq(workspaceMember.workspaceId, workspace.id))
      .where(and(eq(workspaceMember.userId, userId), isNull(workspace.deletedAt)))
      .orderBy(asc(workspace.createdAt), asc(workspace.id)),
  ).pipe(Effect.map(rows => rows.map(row => row.workspace)))

export type WorkspaceRef = { readonly id: string } | { readonly slug: string }

export const findWorkspace = (
  tx: Tx,
  userId: UserId,
  ref: WorkspaceRef,
): Effect.Effect<WorkspaceRow | undefined, StorageError> =>
  within(tx, db =>
    db
      .select({ workspace })
      .from(workspace)
      .innerJoin(workspaceMember, eq(workspaceMember.workspaceId, workspace.id))
      .where(and(eq(workspaceMember.userId, userId), isNull(workspace.deletedAt), matches(ref))),
  ).pipe(Effect.map(rows => rows[0]?.workspace))

/** For doors that authenticate by subject permissions instead of a key (the intake stream). */
export const findAnyWorkspace = (tx: Tx, ref: WorkspaceRef): Effect.Effect<WorkspaceRow | undefined, StorageError> =>
  within(tx, db =>
    db
      .select()
      .from(workspace)
      .where(and(isNull(workspace.deletedAt), matches(ref))),
  ).pipe(Effect.map(rows => rows[0]))

const matches = (ref: WorkspaceRef) =>
  "id" in ref ? eq(workspace.id, ref.id as WorkspaceId) : eq(workspace.slug, ref.slug)

export interface NewWorkspace {
  readonly id: WorkspaceId
  readonly name: string
  readonly slug: string
}
/** Fails with the constraint `workspace_slug` when the slug is taken. */
export const insertWorkspace = (tx: Tx, row: NewWorkspace): Effect.Effect<WorkspaceRow, StorageError> =>
  within(tx, db => db.insert(workspace).values(row).returning()).pipe(Effect.map(rows => rows[0] as WorkspaceRow))

/** The first workspace of an empty installation; `false` when there already is one of this slug. */
export const insertWorkspaceIfAbsent = (tx: Tx, row: NewWorkspace): Effect.Effect<boolean, StorageError> =>
  tx
    .query(
      "INSERT INTO workspace (id, slug, name) VALUES ($1, $2, $3) ON CONFLICT (slug) WHERE deleted_at IS NULL DO NOTHING RETURNING id",
      [row.id, row.slug, row.name],
    )
    .pipe(Effect.map(rows => rows.length === 1))

export const updateWorkspace = (
  tx: Tx,
  id: WorkspaceId,
  change: { readonly name?: string; readonly slug?: string },
): Effect.Effect<WorkspaceRow | undefined, StorageError> =>
  within(tx, db =>
    Object.keys(change).length === 0
      ? db.select().from(workspace).where(eq(workspace.id, id))
      : db
          .update(workspace)
          .set(change)
          .where(and(eq(workspace.id, id), isNull(workspace.deletedAt)))
          .returning(),
  ).pipe(Effect.map(rows => rows[0]))

export interface Emptied {
  readonly deployments: ReadonlyArray<string>
  readonly environments: ReadonlyArray<string>
}

/** Ends the workspace and everything configured in it; history (versions, jobs, events) stays. Says what targets had. */
export const deleteWorkspace = Effect.fnUntraced(function* (
  tx: Tx,
  id: WorkspaceId,
): Effect.fn.Return<Emptied, StorageError> {
  yield* tx.query("UPDATE workspace SET deleted_at = now() WHERE id = $1", [id])
  for (const table of ["system_deployment", "system_environment"]) {
    yield* tx.query(`DELETE FROM ${table} WHERE workspace_id = $1`, [id])
  }
  for (const table of ["system", "resource", "resource_provider", "job_agent", "policy"]) {
    yield* tx.query(`UPDATE ${table} SET deleted_at = now() WHERE workspace_id = $1 AND deleted_at IS NULL`, [id])
  }
  const end = (table: string) =>
    tx
      .query<{ id: string }>(
        `UPDATE ${table} SET deleted_at = now() WHERE workspace_id = $1 AND deleted_at IS NULL RETURNING id`,
        [id],
      )
      .pipe(Effect.map(rows => rows.map(row => row.id)))
  return { deployments: yield* end("deployment"), environments: yield* end("environment") }
})
