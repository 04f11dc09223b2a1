/** Job agents. The name is unique among the living ones of a workspace (constraint `job_agent_name`). */
import type { StorageError, Tx } from "@sluice/actor/ports"
import type { JobAgentId, WorkspaceId } from "@sluice/domain/ids"
import type { JsonObject, Metadata } from "@sluice/domain/json"
import { and, asc, eq, isNull, sql } from "drizzle-orm"
import { Effect } from "effect"
import type { Listing, Window } from "./listing.ts"
import { jobAgent } from "./schema.ts"
import { within } from "./storage.ts"

export type JobAgentRow = typeof jobAgent.$inferSelect

const living = (workspaceId: WorkspaceId) => and(eq(jobAgent.workspaceId, workspaceId), isNull(jobAgent.deletedAt))

export const listJobAgents = (
  tx: Tx,
  workspaceId: WorkspaceId,
  window: Window,
): Effect.Effect<Listing<JobAgentRow>, StorageError> =>
  within(tx, async db => ({
    items: await db
      .select()
      .from(jobAgent)
      .where(living(workspaceId))
      .orderBy(asc(jobAgent.createdAt), asc(jobAgent.id))
      .limit(window.limit)
      .offset(window.offset),
    total: await db.$count(jobAgent, living(workspaceId)),
  }))

export const findJobAgent = (
  tx: Tx,
  workspaceId: WorkspaceId,
  id: string,
): Effect.Effect<JobAgentRow | undefined, StorageError> =>
  within(tx, db =>
    db
      .select()
      .from(jobAgent)
      .where(and(living(workspaceId), eq(jobAgent.id, id as JobAgentId))),
  ).pipe(Effect.map(rows => rows[0]))

export interface JobAgentContent {
  readonly name: string
  readonly type: string
  readonly config: JsonObject
  readonly metadata: Metadata
}

/** Creates or replaces; `false` when the id belongs to another workspace. */
export const upsertJobAgent = (
  tx: Tx,
  workspaceId: WorkspaceId,
  id: string,
  content: JobAgentContent,
): Effect.Effect<boolean, StorageError> =>
  within(tx, db =>
    db
      .insert(jobAgent)
      .values({ id: id as JobAgentId, workspaceId, ...content })
      .onConflictDoUpdate({
        target: jobAgent.id,
        set: { ...content, updatedAt: sql`now()`, deletedAt: null },
        setWhere: eq(jobAgent.workspaceId, workspaceId),
      })
      .returning({ id: jobAgent.id }),
  ).pipe(Effect.map(rows => rows.length === 1))

/** `false` when there is none. */
export const deleteJobAgent = (tx: Tx, workspaceId: WorkspaceId, id: string): Effect.Effect<boolean, StorageError> =>
  within(tx, db =>
    db
      .update(jobAgent)
      .set({ deletedAt: sql`now()` })
      .where(and(living(workspaceId), eq(jobAgent.id, id as JobAgentId)))
      .returning({ id: jobAgent.id }),
  ).pipe(Effect.map(rows => rows.length === 1))
