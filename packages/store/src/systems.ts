/** Systems and their links to deployments and environments. */
import type { StorageError, Tx } from "@sluice/actor/ports"
import type { DeploymentId, EnvironmentId, SystemId, WorkspaceId } from "@sluice/domain/ids"
import type { Metadata } from "@sluice/domain/json"
import { and, asc, eq, inArray, isNull, sql } from "drizzle-orm"
import { Effect } from "effect"
import type { Listing, Window } from "./listing.ts"
import { deployment, environment, system, systemDeployment, systemEnvironment } from "./schema.ts"
import { within } from "./storage.ts"

export type SystemRow = typeof system.$inferSelect

const living = (workspaceId: WorkspaceId) => and(eq(system.workspaceId, workspaceId), isNull(system.deletedAt))

export const listSystems = (
  tx: Tx,
  workspaceId: WorkspaceId,
  window: Window,
): Effect.Effect<Listing<SystemRow>, StorageError> =>
  within(tx, async db => ({
    items: await db
      .select()
      .from(system)
      .where(living(workspaceId))
      .orderBy(asc(system.createdAt), asc(system.id))
      .limit(window.limit)
      .offset(window.offset),
    total: await db.$count(system, living(workspaceId)),
  }))

export const findSystem = (
  tx: Tx,
  workspaceId: WorkspaceId,
  id: string,
): Effect.Effect<SystemRow | undefined, StorageError> =>
  within(tx, db =>
    db
      .select()
      .from(system)
      .where(and(living(workspaceId), eq(system.id, id as SystemId))),
  ).pipe(Effect.map(rows => rows[0]))

export interface SystemContent {
  readonly name: string
  readonly description: string | null
  readonly metadata: Metadata
}

/** Creates or replaces; `false` when the id belongs to another workspace. */
export const upsertSystem = (
  tx: Tx,
  workspaceId: WorkspaceId,
  id: string,
  content: SystemContent,
): Effect.Effect<boolean, StorageError> =>
  within(tx, db =>
    db
      .insert(system)
      .values({ id: id as SystemId, workspaceId, ...content })
      .onConflictDoUpdate({
        target: system.id,
        set: { ...content, deletedAt: null },
        setWhere: eq(system.workspaceId, workspaceId),
      })
      .returning({ id: system.id }),
  ).pipe(Effect.map(rows => rows.length === 1))

/** Ends the system and its links; `false` when there is none. */
export const deleteSystem = Effect.fnUntraced(function* (
  tx: Tx,
  workspaceId: WorkspaceId,
  id: string,
): Effect.fn.Return<boolean, StorageError> {
  const ended = yield* within(tx, db =>
    db
      .update(system)
      .set({ deletedAt: sql`now()` })
      .where(and(living(workspaceId), eq(system.id, id as SystemId)))
      .returning({ id: system.id }),
  )
  if (ended.length === 0) return false
  yield* tx.query("DELETE FROM system_deployment WHERE system_id = $1", [id])
  yield* tx.query("DELETE FROM system_environment WHERE system_id = $1", [id])
  return true
})

export type LinkKind = "deployment" | "environment"

export interface Link {
  readonly workspaceId: WorkspaceId
  readonly systemId: string
  readonly kind: LinkKind
  /** Of the deployment or environment. */
  readonly id: string
}

export const hasLink = (tx: Tx, link: Link): Effect.Effect<boolean, StorageError> =>
  tx
    .query(`SELECT 1 FROM system_${link.kind} WHERE workspace_id = $1 AND system_id = $2 AND ${link.kind}_id = $3`, [
      link.workspaceId,
      link.systemId,
      link.id,
    ])
    .pipe(Effect.map(rows => rows.length === 1))

/** `missing`: one of the two does not exist in the workspace. Both rows are locked, so that neither ends meanwhile. */
export const addLink = Effect.fnUntraced(function* (
  tx: Tx,
  link: Link,
): Effect.fn.Return<"added" | "unchanged" | "missing", StorageError> {
  const both = yield* tx.query(
    `SELECT 1 FROM system s, ${link.kind} e
     WHERE s.workspace_id = $1 AND e.workspace_id = $1 AND s.id = $2 AND e.id = $3
       AND s.deleted_at IS NULL AND e.deleted_at IS NULL FOR SHARE`,
    [link.workspaceId, link.systemId, link.id],
  )
  if (both.length === 0) return "missing"
  const added = yield* tx.query(
    `INSERT INTO system_${link.kind} (workspace_id, system_id, ${link.kind}_id) VALUES ($1, $2, $3)
     ON CONFLICT DO NOTHING RETURNING 1`,
    [link.workspaceId, link.systemId, link.id],
  )
  return added.length === 1 ? "added" : "unchanged"
})

export const removeLink = (tx: Tx, link: Link): Effect.Effect<boolean, StorageError> =>
  tx
    .query(
      `DELETE FROM system_${link.kind} WHERE workspace_id = $1 AND system_id = $2 AND ${link.kind}_id = $3 RETURNING 1`,
      [link.workspaceId, link.systemId, link.id],
    )
    .pipe(Effect.map(rows => rows.length === 1))

/** The systems each deployment is in. Deployments in none have no entry. */
export const systemsOfDeployments = (
  tx: Tx,
  ids: ReadonlyArray<string>,
): Effect.Effect<ReadonlyMap<string, ReadonlyArray<SystemRow>>, StorageError> =>
  within(tx, db =>
    db
      .select({ of: systemDeployment.deploymentId, system })
      .from(systemDeployment)
      .innerJoin(system, eq(system.id, systemDeployment.systemId))
      .where(inArray(systemDeployment.deploymentId, [...ids] as Array<DeploymentId>))
      .orderBy(asc(system.createdAt), asc(system.id)),
  ).pipe(Effect.map(byOwner))

export const systemsOfEnvironments = (
  tx: Tx,
  ids: ReadonlyArray<string>,
): Effect.Effect<ReadonlyMap<string, ReadonlyArray<SystemRow>>, StorageError> =>
  within(tx, db =>
    db
      .select({ of: systemEnvironment.environmentId, system })
      .from(systemEnvironment)
      .innerJoin(system, eq(system.id, systemEnvironment.systemId))
      .where(inArray(systemEnvironment.environmentId, [...ids] as Array<EnvironmentId>))
      .orderBy(asc(system.createdAt), asc(system.id)),
  ).pipe(Effect.map(byOwner))

const byOwner = (rows: ReadonlyArray<{ readonly of: string; readonly system: SystemRow }>) => {
  const owners = new Map<string, Array<SystemRow>>()
  for (const row of rows) owners.set(row.of, [...(owners.get(row.of) ?? []), row.system])
  return owners
}

/** What a system holds. */
export const membersOf = (tx: Tx, id: string) =>
  within(tx, async db => ({
    deployments: (
      await db
        .select({ deployment })
        .from(systemDeployment)
        .innerJoin(deployment, eq(deployment.id, systemDeployment.deploymentId))
        .where(and(eq(systemDeployment.systemId, id as SystemId), isNull(deployment.deletedAt)))
        .orderBy(asc(deployment.name))
    ).map(row => row.deployment),
    environments: (
      await db
        .select({ environment })
        .from(systemEnvironment)
        .innerJoin(environment, eq(environment.id, systemEnvironment.environmentId))
        .where(and(eq(systemEnvironment.systemId, id as SystemId), isNull(environment.deletedAt)))
        .orderBy(asc(environment.name))
    ).map(row => row.environment),
  }))

/** Every deployment with every environment it shares a system with, by the names of all three. */
export const pairsOf = (tx: Tx, workspaceId: WorkspaceId) =>
  within(tx, db =>
    db
      .select({ system, deployment, environment })
      .from(system)
      .innerJoin(systemDeployment, eq(systemDeployment.systemId, system.id))
      .innerJoin(systemEnvironment, eq(systemEnvironment.systemId, system.id))
      .innerJoin(deployment, eq(deployment.id, systemDeployment.deploymentId))
      .innerJoin(environment, eq(environment.id, systemEnvironment.environmentId))
      .where(and(living(workspaceId), isNull(deployment.deletedAt), isNull(environment.deletedAt)))
      .orderBy(asc(system.name), asc(deployment.name), asc(environment.name)),
  )
