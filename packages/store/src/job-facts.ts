/**
 * Reads for jobs: what a dispatch needs to know (for the dispatcher's fact query) and what a bridge needs to make one call.
 * Entities come out under the contract's public names, optional fields absent, times as ISO 8601.
 */
import type { StorageError, Tx } from "@sluice/actor/ports"
import type { JobStatus } from "@sluice/domain/job-status"
import type { JsonObject, Metadata } from "@sluice/domain/json"
import { Effect } from "effect"

export interface DispatchRow {
  readonly deployment: JsonObject
  /** As people wrote it; null when they gave none. */
  readonly jobAgentSelector: string | null
  readonly environment: JsonObject
  readonly resource: JsonObject
  readonly version: JsonObject
  readonly release: {
    readonly id: string
    readonly createdAt: string
    readonly releaseTarget: {
      readonly deploymentId: string
      readonly environmentId: string
      readonly resourceId: string
    }
    readonly variables: JsonObject
  }
}

export interface AgentRow {
  readonly id: string
  readonly workspaceId: string
  readonly name: string
  readonly type: string
  readonly config: JsonObject
  readonly metadata: Metadata
}

/** Releases with everything they are made of, by `dispatchKey`. Soft-deleted entities included: what was decided is run. */
export const loadDispatches = Effect.fnUntraced(function* (
  tx: Tx,
  wanted: ReadonlyArray<{ readonly workspaceId: string; readonly releaseId: string }>,
): Effect.fn.Return<ReadonlyMap<string, DispatchRow>, StorageError> {
  if (wanted.length === 0) return new Map()
  const rows = yield* tx.query<DispatchRow & { readonly workspaceId: string; readonly releaseId: string }>(
    `SELECT r.workspace_id AS "workspaceId", r.id AS "releaseId",
            jsonb_build_object(
              'id', d.id, 'name', d.name, 'slug', d.name, 'description', d.description,
              'resourceSelector', d.resource_selector, 'jobAgentSelector', coalesce(d.job_agent_selector, ''),
              'jobAgentConfig', d.job_agent_config, 'metadata', d.metadata) AS deployment,
            d.job_agent_selector AS "jobAgentSelector",
            jsonb_build_object(
              'id', e.id, 'workspaceId', e.workspace_id, 'name', e.name, 'description', e.description,
              'resourceSelector', e.resource_selector, 'metadata', e.metadata, 'createdAt', ${iso("e.created_at")}) AS environment,
            jsonb_build_object(
              'id', s.id, 'workspaceId', s.workspace_id, 'identifier', s.identifier, 'name', s.name, 'kind', s.kind,
              'version', s.version, 'config', s.config, 'metadata', s.metadata, 'providerId', s.provider_id,
              'createdAt', ${iso("s.created_at")}, 'updatedAt', ${iso("s.updated_at")},
              'deletedAt', ${iso("s.deleted_at")}) AS resource,
            jsonb_build_object(
              'id', v.id, 'deploymentId', v.deployment_id, 'tag', v.tag, 'name', v.name, 'status', v.status,
              'message', v.message, 'config', v.config, 'jobAgentConfig', v.job_agent_config, 'metadata', v.metadata,
              'createdAt', ${iso("v.created_at")}) AS version,
            jsonb_build_object(
              'id', r.id, 'createdAt', ${iso("r.created_at")}, 'variables', r.variables,
              'releaseTarget', jsonb_build_object(
                'deploymentId', r.deployment_id, 'environmentId', r.environment_id, 'resourceId', r.resource_id)) AS release
       FROM unnest($1::uuid[], $2::uuid[]) AS wanted (workspace_id, release_id)
       JOIN release r ON r.id = wanted.release_id AND r.workspace_id = wanted.workspace_id
       JOIN deployment d ON d.id = r.deployment_id AND d.workspace_id = wanted.workspace_id
       JOIN environment e ON e.id = r.environment_id AND e.workspace_id = wanted.workspace_id
       JOIN resource s ON s.id = r.resource_id AND s.workspace_id = wanted.workspace_id
       JOIN deployment_version v ON v.id = r.version_id AND v.workspace_id = wanted.workspace_id`,
    [wanted.map(one => one.workspaceId), wanted.map(one => one.releaseId)],
  )
  return new Map(
    rows.map(({ workspaceId, releaseId, ...row }) => [
      dispatchKey({ workspaceId, releaseId }),
      {
        ...row,
        deployment: present(row.deployment),
        environment: present(row.environment),
        resource: present(row.resource),
        version: present(row.version),
      },
    ]),
  )
})

export const dispatchKey = (wanted: { readonly workspaceId: string; readonly releaseId: string }): string =>
  `${wanted.workspaceId}/${wanted.releaseId}`

/** The agents of these workspaces that are not deleted, by workspace, ordered by id. */
export const loadAgents = Effect.fnUntraced(function* (
  tx: Tx,
  workspaceIds: ReadonlyArray<string>,
): Effect.fn.Return<ReadonlyMap<string, ReadonlyArray<AgentRow>>, StorageError> {
  if (workspaceIds.length === 0) return new Map()
  const rows = yield* tx.query<AgentRow>(
    `SELECT id, workspace_id AS "workspaceId", name, type, config, metadata
       FROM job_agent WHERE workspace_id = ANY($1::uuid[]) AND deleted_at IS NULL ORDER BY id`,
    [workspaceIds],
  )
  return Map.groupBy(rows, row => row.workspaceId)
})

/** A job as the bridge that is to call its agent sees it. */
export interface CallRow {
  readonly jobSetId: string
  readonly targetKey: string
  readonly try: number
  readonly status: JobStatus
  readonly attempt: number
  /** Set while the job is being stopped, lost, or ended for a reason of ours. */
  readonly reason: string | null
  readonly externalId: string | null
  readonly config: JsonObject
  readonly dispatchContext: JsonObject
  /** Epoch milliseconds. */
  readonly createdAt: number
  readonly deadline: number
  /** Database time of this read, epoch milliseconds: what the job's own times are compared with. */
  readonly now: number
}

export const loadCall = Effect.fnUntraced(function* (
  tx: Tx,
  workspaceId: string,
  jobId: string,
): Effect.fn.Return<CallRow | undefined, StorageError> {
  const rows = yield* tx.query<CallRow>(
    `SELECT job_set_id AS "jobSetId", target_key AS "targetKey", try, status, attempt, reason,
            external_id AS "externalId", job_agent_config AS config, dispatch_context AS "dispatchContext",
            ${epoch("created_at")} AS "createdAt", ${epoch("deadline")} AS deadline,
            ${epoch("clock_timestamp()")} AS now
       FROM job WHERE id = $1 AND workspace_id = $2`,
    [jobId, workspaceId],
  )
  return rows[0]
})

const epoch = (column: string): string => `(extract(epoch FROM ${column}) * 1000)::float8`

/** As on the wire, with milliseconds. */
function iso(column: string): string {
  return `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
}

/** An optional field that was not given is absent, not null: selectors and templates tell the two apart. */
const present = (fields: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))
