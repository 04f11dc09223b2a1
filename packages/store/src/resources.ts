/** Resources by identifier: one at a time, listed and searched. A provider's full set is `resource-sets.ts`. */
import type { StorageError, Tx } from "@sluice/actor/ports"
import type { ResourceId, ResourceProviderId, WorkspaceId } from "@sluice/domain/ids"
import type { JsonObject, Metadata } from "@sluice/domain/json"
import { and, asc, desc, eq, ilike, inArray, isNull, or, sql } from "drizzle-orm"
import { Effect } from "effect"
import type { Listing, Window } from "./listing.ts"
import { resource } from "./schema.ts"
import { within } from "./storage.ts"

export type ResourceRow = typeof resource.$inferSelect

const living = (workspaceId: WorkspaceId) => and(eq(resource.workspaceId, workspaceId), isNull(resource.deletedAt))

export interface ResourceFilter {
  readonly identifiers?: ReadonlyArray<string>
  readonly kinds?: ReadonlyArray<string>
  readonly versions?: ReadonlyArray<string>
  readonly providerIds?: ReadonlyArray<string>
  readonly metadata?: Metadata
  /** Part of the name or the identifier, case ignored. */
  readonly query?: string
  readonly sortBy?: "createdAt" | "updatedAt" | "name" | "kind"
  readonly order?: "asc" | "desc"
}

export const listResources = (
  tx: Tx,
  workspaceId: WorkspaceId,
  filter: ResourceFilter,
  window: Window,
): Effect.Effect<Listing<ResourceRow>, StorageError> =>
  within(tx, async db => {
    const by = filter.order === "desc" ? desc : asc
    const where = and(living(workspaceId), ...conditions(filter))
    return {
      items: await db
        .select()
        .from(resource)
        .where(where)
        .orderBy(by(resource[filter.sortBy ?? "createdAt"]), by(resource.identifier))
        .limit(window.limit)
        .offset(window.offset),
      total: await db.$count(resource, where),
    }
  })

const conditions = (filter: ResourceFilter) => [
  filter.identifiers && inArray(resource.identifier, [...filter.identifiers]),
  filter.kinds && inArray(resource.kind, [...filter.kinds]),
  filter.versions && inArray(resource.version, [...filter.versions]),
  filter.providerIds && inArray(sql`${resource.providerId}::text`, [...filter.providerIds]),
  filter.metadata && sql`${resource.metadata} @> ${JSON.stringify(filter.metadata)}::jsonb`,
  filter.query === undefined
    ? undefined
    : or(ilike(resource.name, containing(filter.query)), ilike(resource.identifier, containing(filter.query))),
]
const containing = (text: string) => `%${text.replace(/[\\%_]/g, "\\$&")}%`

/** All of them, for a filter that only the expression engine can evaluate. */
export const allResources = (
  tx: Tx,
  workspaceId: WorkspaceId,
): Effect.Effect<ReadonlyArray<ResourceRow>, StorageError> =>
  within(tx, db =>
    db.select().from(resource).where(living(workspaceId)).orderBy(asc(resource.createdAt), asc(resource.identifier)),
  )

export const findResource = (
  tx: Tx,
  workspaceId: WorkspaceId,
  identifier: string,
): Effect.Effect<ResourceRow | undefined, StorageError> =>
  within(tx, db =>
    db
      .select()
      .from(resource)
      .where(and(living(workspaceId), eq(resource.identifier, identifier))),
  ).pipe(Effect.map(rows => rows[0]))

/** The id, its row held until the end of the transaction; `undefined` when there is none. */
export const lockResource = (
  tx: Tx,
  workspaceId: WorkspaceId,
  identifier: string,
): Effect.Effect<string | undefined, StorageError> =>
  tx
    .query<{ id: string }>(
      "SELECT id FROM resource WHERE workspace_id = $1 AND identifier = $2 AND deleted_at IS NULL FOR UPDATE",
      [workspaceId, identifier],
    )
    .pipe(Effect.map(rows => rows[0]?.id))

export interface ResourceContent {
  readonly name: string
  readonly kind: string
  readonly version: string
  readonly config: JsonObject
  readonly metadata: Metadata
}

/** Creates (with `newId`) or replaces; the provider is left as it is. Answers the id the resource really has. */
export const upsertResource = (
  tx: Tx,
  workspaceId: WorkspaceId,
  identifier: string,
  newId: string,
  content: ResourceContent,
): Effect.Effect<string, StorageError> =>
  within(tx, db =>
    db
      .insert(resource)
      .values({ id: newId as ResourceId, workspaceId, identifier, ...content })
      .onConflictDoUpdate({
        target: [resource.workspaceId, resource.identifier],
        targetWhere: isNull(resource.deletedAt),
        set: { ...content, updatedAt: sql`now()` },
      })
      .returning({ id: resource.id }),
  ).pipe(Effect.map(rows => rows[0]?.id ?? newId))

/** The id of what was deleted; `undefined` when there is none. */
export const deleteResource = (
  tx: Tx,
  workspaceId: WorkspaceId,
  identifier: string,
): Effect.Effect<string | undefined, StorageError> =>
  within(tx, db =>
    db
      .update(resource)
      .set({ deletedAt: sql`now()`, updatedAt: sql`now()` })
      .where(and(living(workspaceId), eq(resource.identifier, identifier)))
      .returning({ id: resource.id }),
  ).pipe(Effect.map(rows => rows[0]?.id))

/** In the order of the provider's last set. */
export const resourcesOfProvider = (
  tx: Tx,
  workspaceId: WorkspaceId,
  providerId: string,
  window: Window,
): Effect.Effect<Listing<ResourceRow>, StorageError> =>
  within(tx, async db => {
    const where = and(living(workspaceId), eq(resource.providerId, providerId as ResourceProviderId))
    return {
      items: await db
        .select()
        .from(resource)
        .where(where)
        .orderBy(asc(resource.position), asc(resource.identifier))
        .limit(window.limit)
        .offset(window.offset),
      total: await db.$count(resource, where),
    }
  })
