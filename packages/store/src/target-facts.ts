/**
 * The catalog as the target actor reads it, set-based for a whole batch: release targets, their entities, policies as
 * stored. Functions over a transaction; what the rows mean is decided in `services/targets`. Times are epoch milliseconds.
 */
import type { StorageError, Tx } from "@sluice/actor/ports"
import type { Deployment, Environment, Resource } from "@sluice/domain/entities"
import { Effect } from "effect"

export interface TargetRow {
  readonly key: string
  readonly workspaceId: string
  readonly deploymentId: string
  readonly environmentId: string
  readonly resourceId: string
}

/** Those that exist at present. */
export const presentTargets = (
  tx: Tx,
  keys: ReadonlyArray<string>,
): Effect.Effect<ReadonlyMap<string, TargetRow>, StorageError> =>
  Effect.map(
    tx.query<TargetRow>(
      `SELECT key, workspace_id AS "workspaceId", deployment_id AS "deploymentId", environment_id AS "environmentId",
         resource_id AS "resourceId"
       FROM release_target WHERE key = ANY($1::text[]) AND present`,
      [keys],
    ),
    rows => new Map(rows.map(row => [row.key, row])),
  )

interface EntityRow {
  readonly id: string
  readonly entity: unknown
}

/** Optional fields are absent, never null, as the contract has it. */
const entities = <A>(tx: Tx, select: string, ids: ReadonlyArray<string>) =>
  ids.length === 0
    ? Effect.succeed<ReadonlyMap<string, A>>(new Map())
    : Effect.map(
        tx.query<EntityRow>(select, [ids]),
        (rows): ReadonlyMap<string, A> => new Map(rows.map(row => [row.id, row.entity as A])),
      )

const instant = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

export const deploymentsById = (tx: Tx, ids: ReadonlyArray<string>) =>
  entities<Deployment>(
    tx,
    `SELECT id, jsonb_strip_nulls(jsonb_build_object('id', id, 'name', name, 'slug', name, 'description', description,
         'resourceSelector', resource_selector, 'jobAgentSelector', coalesce(job_agent_selector, '')))
       || jsonb_build_object('jobAgentConfig', job_agent_config, 'metadata', metadata) AS entity
     FROM deployment WHERE id = ANY($1::uuid[]) AND deleted_at IS NULL`,
    ids,
  )

const environmentObject = `jsonb_strip_nulls(jsonb_build_object('id', e.id, 'workspaceId', e.workspace_id, 'name', e.name,
    'description', e.description, 'resourceSelector', e.resource_selector, 'createdAt', ${instant("e.created_at")}))
  || jsonb_build_object('metadata', e.metadata)`

export const environmentsById = (tx: Tx, ids: ReadonlyArray<string>) =>
  entities<Environment>(
    tx,
    `SELECT e.id, ${environmentObject} AS entity FROM environment e WHERE e.id = ANY($1::uuid[]) AND e.deleted_at IS NULL`,
    ids,
  )

export const resourcesById = (tx: Tx, ids: ReadonlyArray<string>) =>
  entities<Resource>(
    tx,
    `SELECT id, jsonb_strip_nulls(jsonb_build_object('id', id, 'workspaceId', workspace_id, 'identifier', identifier,
         'name', name, 'kind', kind, 'version', version, 'providerId', provider_id,
         'createdAt', ${instant("created_at")}, 'updatedAt', ${instant("updated_at")}))
       || jsonb_build_object('config', config, 'metadata', metadata) AS entity
     FROM resource WHERE id = ANY($1::uuid[]) AND deleted_at IS NULL`,
    ids,
  )

/** For each environment, the others that share at least one system with it. */
export const siblingEnvironments = (
  tx: Tx,
  environmentIds: ReadonlyArray<string>,
): Effect.Effect<ReadonlyMap<string, ReadonlyArray<Environment>>, StorageError> =>
  Effect.map(
    tx.query<{ readonly of: string; readonly siblings: ReadonlyArray<Environment> }>(
      `SELECT pair.of, json_agg(${environmentObject} ORDER BY e.id) AS siblings
       FROM (
         SELECT DISTINCT mine.environment_id AS of, theirs.environment_id AS other
         FROM system_environment mine
         JOIN system s ON s.id = mine.system_id AND s.deleted_at IS NULL
         JOIN system_environment theirs ON theirs.system_id = mine.system_id
         WHERE mine.environment_id = ANY($1::uuid[]) AND theirs.environment_id <> mine.environment_id
       ) pair
       JOIN environment e ON e.id = pair.other AND e.deleted_at IS NULL
       GROUP BY pair.of`,
      [environmentIds],
    ),
    rows => new Map(rows.map(row => [row.of, row.siblings])),
  )

/** A policy as stored: rule bodies as clients sent them, not yet decoded. */
export interface StoredPolicy {
  readonly id: string
  readonly workspaceId: string
  readonly name: string
  readonly selector: string
  readonly priority: number
  /** In their order. */
  readonly rules: ReadonlyArray<{ readonly id: string; readonly createdAt: number; readonly body: unknown }>
}

/** Enabled ones. */
export const policiesOfWorkspaces = (
  tx: Tx,
  workspaceIds: ReadonlyArray<string>,
): Effect.Effect<ReadonlyArray<StoredPolicy>, StorageError> =>
  tx.query<StoredPolicy>(
    `SELECT p.id, p.workspace_id AS "workspaceId", p.name, p.selector, p.priority, coalesce(r.rules, '[]') AS rules
     FROM policy p
     LEFT JOIN LATERAL (
       SELECT json_agg(json_build_object('id', id, 'body', body,
         'createdAt', floor(extract(epoch FROM created_at) * 1000)::float8) ORDER BY position) AS rules
       FROM policy_rule WHERE policy_id = p.id
     ) r ON true
     WHERE p.workspace_id = ANY($1::uuid[]) AND p.enabled AND p.deleted_at IS NULL`,
    [workspaceIds],
  )
