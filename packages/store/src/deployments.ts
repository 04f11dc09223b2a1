/** Deployments. The name is unique among the living ones of a workspace (constraint `deployment_name`). */
import type { StorageError, Tx } from "@sluice/actor/ports"
import type { DeploymentId, WorkspaceId } from "@sluice/domain/ids"
import type { JsonObject, Metadata } from "@sluice/domain/json"
import { and, asc, eq, isNull, sql } from "drizzle-orm"
import { Effect } from "effect"
import type { Listing, Window } from "./listing.ts"
import { deployment } from "./schema.ts"
import { within } from "./storage.ts"

export type DeploymentRow = typeof deployment.$inferSelect

const living = (workspaceId: WorkspaceId) => and(eq(deployment.workspaceId, workspaceId), isNull(deployment.deletedAt))

export const listDeployments = (
  tx: Tx,
  workspaceId: WorkspaceId,
  window: Window,
): Effect.Effect<Listing<DeploymentRow>, StorageError> =>
  within(tx, async db => ({
    items: await db
      .select()
      .from(deployment)
      .where(living(workspaceId))
      .orderBy(asc(deployment.createdAt), asc(deployment.id))
      .limit(window.limit)
      .offset(window.offset),
    total: await db.$count(deployment, living(workspaceId)),
  }))

/** All of them, for a filter that only the expression engine can evaluate. */
export const allDeployments = (
  tx: Tx,
  workspaceId: WorkspaceId,
): Effect.Effect<ReadonlyArray<DeploymentRow>, StorageError> =>
  within(tx, db =>
    db.select().from(deployment).where(living(workspaceId)).orderBy(asc(deployment.createdAt), asc(deployment.id)),
  )

export const findDeployment = (
  tx: Tx,
  workspaceId: WorkspaceId,
  ref: { readonly id: string } | { readonly name: string },
): Effect.Effect<DeploymentRow | undefined, StorageError> =>
  within(tx, db =>
    db
      .select()
      .from(deployment)
      .where(
        and(
          living(workspaceId),
          "id" in ref ? eq(deployment.id, ref.id as DeploymentId) : eq(deployment.name, ref.name),
        ),
      ),
  ).pipe(Effect.map(rows => rows[0]))

/** Those whose selector matches the resource, by name. */
export const deploymentsOfResource = (
  tx: Tx,
  workspaceId: WorkspaceId,
  resourceId: string,
  window: Window,
): Effect.Effect<Listing<DeploymentRow>, StorageError> =>
  within(tx, async db => {
    const matching = sql`${deployment.id} IN (SELECT deployment_id FROM deployment_match WHERE resource_id = ${resourceId})`
    const where = and(living(workspaceId), matching)
    return {
      items: await db
        .select()
        .from(deployment)
        .where(where)
        .orderBy(asc(deployment.name), asc(deployment.id))
        .limit(window.limit)
        .offset(window.offset),
      total: await db.$count(deployment, where),
    }
  })

export interface DeploymentContent {
  readonly name: string
  readonly description: string | null
  readonly resourceSelector: string | null
  readonly metadata: Metadata
  /** Selector and config move together; absent leaves both as they are. */
  readonly agent?: { readonly jobAgentSelector: string | null; readonly jobAgentConfig: JsonObject }
}

/** Creates or replaces; `false` when the id belongs to another workspace. */
export const upsertDeployment = (
  tx: Tx,
  workspaceId: WorkspaceId,
  id: string,
  { agent, ...content }: DeploymentContent,
): Effect.Effect<boolean, StorageError> =>
  within(tx, db =>
    db
      .insert(deployment)
      .values({ id: id as DeploymentId, workspaceId, ...content, ...agent })
      .onConflictDoUpdate({
        target: deployment.id,
        set: { ...content, ...agent, updatedAt: sql`now()`, deletedAt: null },
        setWhere: eq(deployment.workspaceId, workspaceId),
      })
      .returning({ id: deployment.id }),
  ).pipe(Effect.map(rows => rows.length === 1))

/** Ends the deployment and its links; its versions stay. `false` when there is none. */
export const deleteDeployment = Effect.fnUntraced(function* (
  tx: Tx,
  workspaceId: WorkspaceId,
  id: string,
): Effect.fn.Return<boolean, StorageError> {
  const ended = yield* within(tx, db =>
    db
      .update(deployment)
      .set({ deletedAt: sql`now()` })
      .where(and(living(workspaceId), eq(deployment.id, id as DeploymentId)))
      .returning({ id: deployment.id }),
  )
  if (ended.length === 0) return false
  yield* tx.query("DELETE FROM system_deployment WHERE deployment_id = $1", [id])
  return true
})

/** Which of the ids name living deployments of the workspace. */
export const knownDeployments = (
  tx: Tx,
  workspaceId: WorkspaceId,
  ids: ReadonlyArray<string>,
): Effect.Effect<ReadonlySet<string>, StorageError> =>
  tx
    .query<{ id: string }>(
      "SELECT id FROM deployment WHERE workspace_id = $1 AND id = ANY($2::uuid[]) AND deleted_at IS NULL",
      [workspaceId, ids],
    )
    .pipe(Effect.map(rows => new Set(rows.map(row => row.id))))
