/** Versions. A version's place in the order is (created_at, id); the tag is unique in the deployment. */
import type { StorageError, Tx } from "@sluice/actor/ports"
import type { DeploymentId, UserId, VersionId, WorkspaceId } from "@sluice/domain/ids"
import type { JsonObject, Metadata } from "@sluice/domain/json"
import type { VersionStatus } from "@sluice/domain/version"
import { and, asc, desc, eq, inArray, sql } from "drizzle-orm"
import { Effect } from "effect"
import type { Listing, Window } from "./listing.ts"
import { deploymentVersion } from "./schema.ts"
import { within } from "./storage.ts"

export type VersionRow = typeof deploymentVersion.$inferSelect

export interface NewVersion {
  readonly id: string
  readonly workspaceId: WorkspaceId
  readonly deploymentId: string
  readonly tag: string
  readonly name: string
  readonly status: VersionStatus
  readonly config: JsonObject
  readonly jobAgentConfig: JsonObject
  readonly metadata: Metadata
  readonly dependencies: JsonObject
  readonly contentHash: string
  readonly createdBy?: string
  /** The broker's time for a version that came over NATS; the database's when absent. */
  readonly createdAt?: Date
}

/** `undefined`: the deployment has a version of this tag already. */
export const insertVersion = (tx: Tx, version: NewVersion): Effect.Effect<VersionRow | undefined, StorageError> =>
  within(tx, db =>
    db
      .insert(deploymentVersion)
      .values({
        ...version,
        id: version.id as VersionId,
        deploymentId: version.deploymentId as DeploymentId,
        createdBy: (version.createdBy ?? null) as UserId | null,
      })
      .onConflictDoNothing({ target: [deploymentVersion.deploymentId, deploymentVersion.tag] })
      .returning(),
  ).pipe(Effect.map(rows => rows[0]))

export const findVersionByTag = (
  tx: Tx,
  deploymentId: string,
  tag: string,
): Effect.Effect<VersionRow | undefined, StorageError> =>
  within(tx, db =>
    db
      .select()
      .from(deploymentVersion)
      .where(and(eq(deploymentVersion.deploymentId, deploymentId as DeploymentId), eq(deploymentVersion.tag, tag))),
  ).pipe(Effect.map(rows => rows[0]))

export const findVersion = (
  tx: Tx,
  workspaceId: WorkspaceId,
  id: string,
): Effect.Effect<VersionRow | undefined, StorageError> =>
  within(tx, db =>
    db
      .select()
      .from(deploymentVersion)
      .where(and(eq(deploymentVersion.workspaceId, workspaceId), eq(deploymentVersion.id, id as VersionId))),
  ).pipe(Effect.map(rows => rows[0]))

/** Held until the end of the transaction, for a change that depends on what it was. */
export const lockVersion = (
  tx: Tx,
  workspaceId: WorkspaceId,
  id: string,
): Effect.Effect<VersionRow | undefined, StorageError> =>
  within(tx, db =>
    db
      .select()
      .from(deploymentVersion)
      .where(and(eq(deploymentVersion.workspaceId, workspaceId), eq(deploymentVersion.id, id as VersionId)))
      .for("update"),
  ).pipe(Effect.map(rows => rows[0]))

/** By id; ids that name nothing in the workspace are left out. */
export const findVersions = (
  tx: Tx,
  workspaceId: WorkspaceId,
  ids: ReadonlyArray<string>,
): Effect.Effect<ReadonlyMap<string, VersionRow>, StorageError> =>
  ids.length === 0
    ? Effect.succeed(new Map())
    : within(tx, db =>
        db
          .select()
          .from(deploymentVersion)
          .where(
            and(
              eq(deploymentVersion.workspaceId, workspaceId),
              inArray(deploymentVersion.id, [...ids] as Array<VersionId>),
            ),
          ),
      ).pipe(Effect.map(rows => new Map(rows.map(row => [row.id as string, row]))))

type Order = "asc" | "desc"

/** By creation, then tag, as the contract lists them. */
export const listVersions = (
  tx: Tx,
  scope: { readonly workspaceId: WorkspaceId; readonly deploymentId: string; readonly order: Order },
  window: Window,
): Effect.Effect<Listing<VersionRow>, StorageError> =>
  within(tx, async db => ({
    items: await db
      .select()
      .from(deploymentVersion)
      .where(ofDeployment(scope))
      .orderBy(...ordered(scope.order))
      .limit(window.limit)
      .offset(window.offset),
    total: await db.$count(deploymentVersion, ofDeployment(scope)),
  }))

/** All of them, for a filter that only the expression engine can evaluate. */
export const allVersions = (
  tx: Tx,
  scope: { readonly workspaceId: WorkspaceId; readonly deploymentId: string; readonly order: Order },
): Effect.Effect<ReadonlyArray<VersionRow>, StorageError> =>
  within(tx, db =>
    db
      .select()
      .from(deploymentVersion)
      .where(ofDeployment(scope))
      .orderBy(...ordered(scope.order)),
  )

const ofDeployment = (scope: { readonly workspaceId: WorkspaceId; readonly deploymentId: string }) =>
  and(
    eq(deploymentVersion.workspaceId, scope.workspaceId),
    eq(deploymentVersion.deploymentId, scope.deploymentId as DeploymentId),
  )
const ordered = (order: Order) => {
  const by = order === "asc" ? asc : desc
  return [by(deploymentVersion.createdAt), by(deploymentVersion.tag)] as const
}

export interface VersionChange {
  readonly tag?: string
  readonly name?: string
  readonly status?: VersionStatus
  readonly config?: JsonObject
  readonly jobAgentConfig?: JsonObject
  readonly metadata?: Metadata
  readonly dependencies?: JsonObject
}

/** Fails with the constraint `deployment_version_tag` when another version has the tag. */
export const updateVersion = (
  tx: Tx,
  workspaceId: WorkspaceId,
  id: string,
  change: VersionChange,
): Effect.Effect<VersionRow | undefined, StorageError> =>
  within(tx, db =>
    db
      .update(deploymentVersion)
      .set({ ...change, updatedAt: sql`now()` })
      .where(and(eq(deploymentVersion.workspaceId, workspaceId), eq(deploymentVersion.id, id as VersionId)))
      .returning(),
  ).pipe(Effect.map(rows => rows[0]))
