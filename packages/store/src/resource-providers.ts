/** Resource providers. The name is unique among the living ones of a workspace (constraint `resource_provider_name`). */
import type { StorageError, Tx } from "@sluice/actor/ports"
import type { ResourceProviderId, WorkspaceId } from "@sluice/domain/ids"
import type { Metadata } from "@sluice/domain/json"
import { and, eq, isNotNull, isNull, sql } from "drizzle-orm"
import { Effect } from "effect"
import { resource, resourceProvider } from "./schema.ts"
import { within } from "./storage.ts"

export type ProviderRow = typeof resourceProvider.$inferSelect

const living = (workspaceId: WorkspaceId) =>
  and(eq(resourceProvider.workspaceId, workspaceId), isNull(resourceProvider.deletedAt))

export const findProvider = (
  tx: Tx,
  workspaceId: WorkspaceId,
  ref: { readonly id: string } | { readonly name: string },
): Effect.Effect<ProviderRow | undefined, StorageError> =>
  within(tx, db =>
    db
      .select()
      .from(resourceProvider)
      .where(
        and(
          living(workspaceId),
          "id" in ref ? eq(resourceProvider.id, ref.id as ResourceProviderId) : eq(resourceProvider.name, ref.name),
        ),
      ),
  ).pipe(Effect.map(rows => rows[0]))

/** Holds the provider until the end of the transaction: two sets of one provider come one after the other. */
export const lockProvider = (tx: Tx, workspaceId: WorkspaceId, id: string): Effect.Effect<boolean, StorageError> =>
  tx
    .query("SELECT 1 FROM resource_provider WHERE workspace_id = $1 AND id = $2 AND deleted_at IS NULL FOR UPDATE", [
      workspaceId,
      id,
    ])
    .pipe(Effect.map(rows => rows.length === 1))

export interface ProviderContent {
  readonly name: string
  readonly metadata?: Metadata
}

export const renameProvider = (
  tx: Tx,
  id: string,
  content: ProviderContent,
): Effect.Effect<ProviderRow, StorageError> =>
  within(tx, db =>
    db
      .update(resourceProvider)
      .set(content)
      .where(eq(resourceProvider.id, id as ResourceProviderId))
      .returning(),
  ).pipe(Effect.map(rows => rows[0] as ProviderRow))

/** By name: creates with the id, or finds the one there is and keeps its id. */
export const upsertProvider = (
  tx: Tx,
  workspaceId: WorkspaceId,
  id: string,
  content: ProviderContent,
): Effect.Effect<ProviderRow, StorageError> =>
  within(tx, db =>
    db
      .insert(resourceProvider)
      .values({ id: id as ResourceProviderId, workspaceId, ...content })
      .onConflictDoUpdate({
        target: [resourceProvider.workspaceId, resourceProvider.name],
        targetWhere: isNull(resourceProvider.deletedAt),
        set: content,
      })
      .returning(),
  ).pipe(Effect.map(rows => rows[0] as ProviderRow))

/** A deleted provider of the workspace comes back under its id; `undefined` when there is none. */
export const reviveProvider = (
  tx: Tx,
  workspaceId: WorkspaceId,
  id: string,
  content: ProviderContent,
): Effect.Effect<ProviderRow | undefined, StorageError> =>
  within(tx, db =>
    db
      .update(resourceProvider)
      .set({ metadata: {}, ...content, deletedAt: null })
      .where(
        and(
          eq(resourceProvider.workspaceId, workspaceId),
          eq(resourceProvider.id, id as ResourceProviderId),
          isNotNull(resourceProvider.deletedAt),
        ),
      )
      .returning(),
  ).pipe(Effect.map(rows => rows[0]))

export const ownsResources = (tx: Tx, id: string): Effect.Effect<boolean, StorageError> =>
  within(tx, db =>
    db.$count(resource, and(eq(resource.providerId, id as ResourceProviderId), isNull(resource.deletedAt))),
  ).pipe(Effect.map(count => count > 0))

export const deleteProvider = (tx: Tx, id: string): Effect.Effect<void, StorageError> =>
  within(
    tx,
    async db =>
      void (await db
        .update(resourceProvider)
        .set({ deletedAt: sql`now()` })
        .where(eq(resourceProvider.id, id as ResourceProviderId))),
  )
