/** Environments. The name is unique among the living ones of a workspace (constraint `environment_name`). */
import type { StorageError, Tx } from "@sluice/actor/ports"
import type { EnvironmentId, WorkspaceId } from "@sluice/domain/ids"
import type { Metadata } from "@sluice/domain/json"
import { and, asc, eq, isNull, sql } from "drizzle-orm"
import { Effect } from "effect"
import type { Listing, Window } from "./listing.ts"
import { environment } from "./schema.ts"
import { within } from "./storage.ts"

export type EnvironmentRow = typeof environment.$inferSelect

const living = (workspaceId: WorkspaceId) =>
  and(eq(environment.workspaceId, workspaceId), isNull(environment.deletedAt))

export const listEnvironments = (
  tx: Tx,
  workspaceId: WorkspaceId,
  window: Window,
): Effect.Effect<Listing<EnvironmentRow>, StorageError> =>
  within(tx, async db => ({
    items: await db
      .select()
      .from(environment)
      .where(living(workspaceId))
      .orderBy(asc(environment.createdAt), asc(environment.id))
      .limit(window.limit)
      .offset(window.offset),
    total: await db.$count(environment, living(workspaceId)),
  }))

export const findEnvironment = (
  tx: Tx,
  workspaceId: WorkspaceId,
  ref: { readonly id: string } | { readonly name: string },
): Effect.Effect<EnvironmentRow | undefined, StorageError> =>
  within(tx, db =>
    db
      .select()
      .from(environment)
      .where(
        and(
          living(workspaceId),
          "id" in ref ? eq(environment.id, ref.id as EnvironmentId) : eq(environment.name, ref.name),
        ),
      ),
  ).pipe(Effect.map(rows => rows[0]))

export interface EnvironmentContent {
  readonly name: string
  readonly description: string | null
  readonly resourceSelector: string | null
  readonly metadata: Metadata
}

/** Creates or replaces; `false` when the id belongs to another workspace. */
export const upsertEnvironment = (
  tx: Tx,
  workspaceId: WorkspaceId,
  id: string,
  content: EnvironmentContent,
): Effect.Effect<boolean, StorageError> =>
  within(tx, db =>
    db
      .insert(environment)
      .values({ id: id as EnvironmentId, workspaceId, ...content })
      .onConflictDoUpdate({
        target: environment.id,
        set: { ...content, updatedAt: sql`now()`, deletedAt: null },
        setWhere: eq(environment.workspaceId, workspaceId),
      })
      .returning({ id: environment.id }),
  ).pipe(Effect.map(rows => rows.length === 1))

/** Ends the environment and its links; `false` when there is none. */
export const deleteEnvironment = Effect.fnUntraced(function* (
  tx: Tx,
  workspaceId: WorkspaceId,
  id: string,
): Effect.fn.Return<boolean, StorageError> {
  const ended = yield* within(tx, db =>
    db
      .update(environment)
      .set({ deletedAt: sql`now()` })
      .where(and(living(workspaceId), eq(environment.id, id as EnvironmentId)))
      .returning({ id: environment.id }),
  )
  if (ended.length === 0) return false
  yield* tx.query("DELETE FROM system_environment WHERE environment_id = $1", [id])
  return true
})

/** Environments that share a system with the deployment. */
export const environmentsOfDeployment = (
  tx: Tx,
  workspaceId: WorkspaceId,
  deploymentId: string,
): Effect.Effect<ReadonlyArray<string>, StorageError> =>
  tx
    .query<{ id: string }>(
      `SELECT DISTINCT e.id FROM system_deployment d
       JOIN system_environment se ON se.system_id = d.system_id
       JOIN environment e ON e.id = se.environment_id
       WHERE d.workspace_id = $1 AND d.deployment_id = $2 AND e.deleted_at IS NULL ORDER BY e.id`,
      [workspaceId, deploymentId],
    )
    .pipe(Effect.map(rows => rows.map(row => row.id)))

/** Which of the ids name living environments of the workspace. */
export const knownEnvironments = (
  tx: Tx,
  workspaceId: WorkspaceId,
  ids: ReadonlyArray<string>,
): Effect.Effect<ReadonlySet<string>, StorageError> =>
  tx
    .query<{ id: string }>(
      "SELECT id FROM environment WHERE workspace_id = $1 AND id = ANY($2::uuid[]) AND deleted_at IS NULL",
      [workspaceId, ids],
    )
    .pipe(Effect.map(rows => new Set(rows.map(row => row.id))))
