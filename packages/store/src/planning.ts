/**
 * The planner's rows: match sets, release targets and who a change concerns. Every statement is set-based over the ids it
 * is given, and runs in the planner's batch. The rule it keeps (semantics 1.2): a release target exists exactly when its
 * resource is in the match sets of its deployment and of its environment, and some system is linked to both.
 */
import type { Tx } from "@sluice/actor/ports"
import type { Resource } from "@sluice/domain/entities"
import { Effect } from "effect"

/** Whose selector: also names the match table and its column. */
export type Owner = "deployment" | "environment"

export interface SelectorRow {
  readonly owner: Owner
  readonly id: string
  /** null: matches nothing. */
  readonly selector: string | null
}

/** Selectors of the living deployments and environments: of those named, or all of the workspace. */
export const selectorsOf = Effect.fnUntraced(function* (
  tx: Tx,
  workspaceId: string,
  which: "all" | { readonly deployments: ReadonlyArray<string>; readonly environments: ReadonlyArray<string> },
) {
  const [deployments, environments] = which === "all" ? [null, null] : [which.deployments, which.environments]
  return yield* tx.query<SelectorRow>(
    `SELECT 'deployment' AS owner, id::text AS id, resource_selector AS selector FROM deployment
     WHERE workspace_id = $1 AND deleted_at IS NULL AND ($2::uuid[] IS NULL OR id = ANY($2::uuid[]))
     UNION ALL
     SELECT 'environment', id::text, resource_selector FROM environment
     WHERE workspace_id = $1 AND deleted_at IS NULL AND ($3::uuid[] IS NULL OR id = ANY($3::uuid[]))
     ORDER BY 1, 2`,
    [workspaceId, deployments, environments],
  )
})

/** Living resources of the workspace by id after `afterId` (null for the first page), as expressions see them. */
export const resourcesAfter = (tx: Tx, workspaceId: string, afterId: string | null, limit: number) =>
  readResources(tx, "($2::uuid IS NULL OR id > $2::uuid) ORDER BY id LIMIT $3", [workspaceId, afterId, limit])

export const resourcesById = (tx: Tx, workspaceId: string, ids: ReadonlyArray<string>) =>
  readResources(tx, "id = ANY($2::uuid[]) ORDER BY id", [workspaceId, ids])

const readResources = Effect.fnUntraced(function* (tx: Tx, where: string, values: ReadonlyArray<unknown>) {
  const rows = yield* tx.query<ResourceRow>(
    `SELECT id, workspace_id AS "workspaceId", identifier, name, kind, version, config, metadata,
            provider_id AS "providerId", (extract(epoch FROM created_at) * 1000)::float8 AS "createdAt",
            (extract(epoch FROM updated_at) * 1000)::float8 AS "updatedAt"
     FROM resource WHERE workspace_id = $1 AND deleted_at IS NULL AND ${where}`,
    values,
  )
  return rows.map(
    ({ providerId, createdAt, updatedAt, ...row }): Resource => ({
      ...row,
      createdAt: new Date(createdAt).toISOString(),
      ...(providerId === null ? {} : { providerId }),
      ...(updatedAt === null ? {} : { updatedAt: new Date(updatedAt).toISOString() }),
    }),
  )
})

type ResourceRow = Omit<Resource, "providerId" | "createdAt" | "updatedAt"> & {
  readonly providerId: string | null
  readonly createdAt: number
  readonly updatedAt: number | null
}

const matchTables = {
  deployment: { table: "deployment_match", column: "deployment_id" },
  environment: { table: "environment_match", column: "environment_id" },
} as const satisfies Record<Owner, { table: string; column: string }>

export interface MatchPair {
  readonly ownerId: string
  readonly resourceId: string
}

/** Makes `matches` the only pairs of these owners with these resources. Other owners and resources stay as they are. */
export const replaceMatches = Effect.fnUntraced(function* (
  tx: Tx,
  workspaceId: string,
  owner: Owner,
  evaluated: { readonly ownerIds: ReadonlyArray<string>; readonly resourceIds: ReadonlyArray<string> },
  matches: ReadonlyArray<MatchPair>,
) {
  const { table, column } = matchTables[owner]
  const owners = matches.map(match => match.ownerId)
  const resources = matches.map(match => match.resourceId)
  // NOT IN is hashed whatever the size of the arrays, which the planner cannot know; NOT EXISTS compared pair by pair.
  yield* tx.query(
    `DELETE FROM ${table} m
     WHERE m.workspace_id = $1 AND m.${column} = ANY($2::uuid[]) AND m.resource_id = ANY($3::uuid[])
       AND (m.${column}, m.resource_id) NOT IN (SELECT * FROM unnest($4::uuid[], $5::uuid[]))`,
    [workspaceId, evaluated.ownerIds, evaluated.resourceIds, owners, resources],
  )
  if (matches.length === 0) return
  yield* tx.query(
    `INSERT INTO ${table} (${column}, resource_id, workspace_id)
     SELECT p.owner, p.resource, $1::uuid FROM unnest($2::uuid[], $3::uuid[]) AS p (owner, resource)
     WHERE NOT EXISTS (SELECT 1 FROM ${table} m WHERE m.${column} = p.owner AND m.resource_id = p.resource)
     ORDER BY 1, 2`,
    [workspaceId, owners, resources],
  )
})

/** Whatever was deleted, or never was, matches nothing any more. `ids` may name living ones: those are left alone. */
export const removeMatchesOfGone = Effect.fnUntraced(function* (
  tx: Tx,
  workspaceId: string,
  ids: { readonly [K in Owner | "resource"]: ReadonlyArray<string> },
) {
  for (const owner of ["deployment", "environment"] as const) {
    const { table, column } = matchTables[owner]
    if (ids[owner].length === 0 && ids.resource.length === 0) continue
    yield* tx.query(
      `DELETE FROM ${table} m WHERE m.workspace_id = $1 AND (
         (m.${column} = ANY($2::uuid[]) AND NOT EXISTS (
           SELECT 1 FROM ${owner} o WHERE o.id = m.${column} AND o.deleted_at IS NULL))
         OR (m.resource_id = ANY($3::uuid[]) AND NOT EXISTS (
           SELECT 1 FROM resource r WHERE r.id = m.resource_id AND r.deleted_at IS NULL)))`,
      [workspaceId, ids[owner], ids.resource],
    )
  }
})

export interface MovedTarget {
  readonly key: string
  readonly resourceId: string
  readonly environmentId: string
  readonly deploymentId: string
}

export type Scope = "resources" | "deployments" | "environments" | "systems"

/** Where a scope's ids stand in the two statements below. A lost link cannot be told from its system: all are looked at. */
const scopes = {
  resources: { joined: "dm.resource_id = ANY($2::uuid[])", left: "rt.resource_id = ANY($2::uuid[])" },
  deployments: { joined: "sd.deployment_id = ANY($2::uuid[])", left: "rt.deployment_id = ANY($2::uuid[])" },
  environments: { joined: "se.environment_id = ANY($2::uuid[])", left: "rt.environment_id = ANY($2::uuid[])" },
  systems: { joined: "s.id = ANY($2::uuid[])", left: "$2::uuid[] IS NOT NULL" },
} as const satisfies Record<Scope, { joined: string; left: string }>

const movedColumns = `key, resource_id::text AS "resourceId", environment_id::text AS "environmentId",
  deployment_id::text AS "deploymentId"`

/** Targets that should exist within the scope, and did not. `now` in epoch milliseconds. */
export const joinTargets = (tx: Tx, workspaceId: string, scope: Scope, ids: ReadonlyArray<string>, now: number) =>
  tx.query<MovedTarget>(
    `INSERT INTO release_target AS rt (key, workspace_id, deployment_id, environment_id, resource_id, present, joined_at)
     SELECT DISTINCT concat_ws('-', em.resource_id, em.environment_id, dm.deployment_id), $1::uuid,
            dm.deployment_id, em.environment_id, em.resource_id, true, to_timestamp($3::float8 / 1000)
     FROM system s
     JOIN system_deployment sd ON sd.system_id = s.id
     JOIN system_environment se ON se.system_id = s.id
     JOIN deployment_match dm ON dm.deployment_id = sd.deployment_id
     JOIN environment_match em ON em.environment_id = se.environment_id AND em.resource_id = dm.resource_id
     WHERE s.workspace_id = $1 AND s.deleted_at IS NULL AND ${scopes[scope].joined}
       AND NOT EXISTS (SELECT 1 FROM release_target known WHERE known.present
                       AND known.key = concat_ws('-', em.resource_id, em.environment_id, dm.deployment_id))
     ORDER BY 1
     ON CONFLICT (key) DO UPDATE SET present = true, joined_at = excluded.joined_at, left_at = NULL
     RETURNING ${movedColumns}`,
    [workspaceId, ids, now],
  )

/** Targets within the scope that exist, and should not. They keep their rows. */
export const dropTargets = (tx: Tx, workspaceId: string, scope: Scope, ids: ReadonlyArray<string>, now: number) =>
  tx.query<MovedTarget>(
    `UPDATE release_target rt SET present = false, left_at = to_timestamp($3::float8 / 1000)
     WHERE rt.workspace_id = $1 AND rt.present AND ${scopes[scope].left} AND NOT (
       EXISTS (SELECT 1 FROM deployment_match dm
               WHERE dm.deployment_id = rt.deployment_id AND dm.resource_id = rt.resource_id)
       AND EXISTS (SELECT 1 FROM environment_match em
                   WHERE em.environment_id = rt.environment_id AND em.resource_id = rt.resource_id)
       AND EXISTS (SELECT 1 FROM system s
                   JOIN system_deployment sd ON sd.system_id = s.id
                   JOIN system_environment se ON se.system_id = s.id
                   WHERE s.deleted_at IS NULL AND sd.deployment_id = rt.deployment_id
                     AND se.environment_id = rt.environment_id))
     RETURNING ${movedColumns}`,
    [workspaceId, ids, now],
  )

/** Whom a change concerns: every target that any of the filters names. */
export interface Concern {
  readonly everything?: boolean
  readonly resourceIds?: ReadonlyArray<string>
  readonly deploymentIds?: ReadonlyArray<string>
  readonly environmentIds?: ReadonlyArray<string>
  /** Those that joined or left in the batch of this time, epoch milliseconds. */
  readonly movedAt?: number
  /** Those that wait on one of these. */
  readonly subjects?: ReadonlyArray<string>
}

/** The next concerned keys in order, at most `limit`. One branch per filter, so that each can use its own index. */
export const concernedTargets = Effect.fnUntraced(function* (
  tx: Tx,
  workspaceId: string,
  concern: Concern,
  afterKey: string,
  limit: number,
) {
  const values: Array<unknown> = [workspaceId, afterKey, limit]
  const present = "SELECT key FROM release_target WHERE workspace_id = $1 AND key > $2 AND present"
  const branch = (text: string, filter: ReadonlyArray<string> | number | undefined): ReadonlyArray<string> => {
    if (filter === undefined || (Array.isArray(filter) && filter.length === 0)) return []
    values.push(filter)
    return [text.replaceAll("$n", `$${values.length}`)]
  }
  const branches = [
    ...(concern.everything === true ? [`(${present} ORDER BY key LIMIT $3)`] : []),
    ...branch(`(${present} AND resource_id = ANY($n::uuid[]))`, concern.resourceIds),
    ...branch(`(${present} AND deployment_id = ANY($n::uuid[]))`, concern.deploymentIds),
    ...branch(`(${present} AND environment_id = ANY($n::uuid[]))`, concern.environmentIds),
    ...branch(
      `(SELECT key FROM release_target WHERE workspace_id = $1 AND key > $2
        AND (joined_at = to_timestamp($n::float8 / 1000) OR left_at = to_timestamp($n::float8 / 1000)))`,
      concern.movedAt,
    ),
    ...branch(
      "(SELECT target_key AS key FROM wait WHERE workspace_id = $1 AND target_key > $2 AND subject = ANY($n::text[]))",
      concern.subjects,
    ),
  ]
  if (branches.length === 0) return []
  const rows = yield* tx.query<{ key: string }>(
    `SELECT key FROM (${branches.join(" UNION ")}) AS concerned ORDER BY key LIMIT $3`,
    values,
  )
  return rows.map(row => row.key)
})
