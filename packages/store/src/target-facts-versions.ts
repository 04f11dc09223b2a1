/** Versions and releases as the target actor reads them, set-based. Times are epoch milliseconds, and ISO text in entities. */
import type { StorageError, Tx } from "@sluice/actor/ports"
import type { Version } from "@sluice/domain/entities"
import { Effect } from "effect"

export interface VersionRow {
  readonly id: string
  readonly deploymentId: string
  readonly version: Version
  readonly createdAt: number
  readonly dependsOn: ReadonlyArray<string>
  readonly createdBy: string | null
}

const columns = `v.id, v.deployment_id AS "deploymentId",
  floor(extract(epoch FROM v.created_at) * 1000)::float8 AS "createdAt", v.created_by AS "createdBy",
  coalesce((SELECT json_agg(name ORDER BY name) FROM jsonb_object_keys(v.dependencies) AS name), '[]') AS "dependsOn",
  jsonb_strip_nulls(jsonb_build_object('id', v.id, 'deploymentId', v.deployment_id, 'tag', v.tag, 'name', v.name,
    'status', v.status, 'message', v.message,
    'createdAt', to_char(v.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')))
  || jsonb_build_object('config', v.config, 'jobAgentConfig', v.job_agent_config, 'metadata', v.metadata) AS version`

/** Newest first by (createdAt, id), at most `most` per deployment. */
export const newestVersions = (
  tx: Tx,
  wanted: ReadonlyArray<{ readonly deploymentId: string; readonly most: number }>,
): Effect.Effect<ReadonlyMap<string, ReadonlyArray<VersionRow>>, StorageError> =>
  wanted.length === 0
    ? Effect.succeed(new Map())
    : Effect.map(
        tx.query<VersionRow>(
          `SELECT v.* FROM jsonb_to_recordset($1::jsonb) AS n ("deploymentId" uuid, most int)
           CROSS JOIN LATERAL (
             SELECT ${columns}, row_number() OVER (ORDER BY v.created_at DESC, v.id DESC) AS place
             FROM deployment_version v WHERE v.deployment_id = n."deploymentId"
             ORDER BY v.created_at DESC, v.id DESC LIMIT n.most
           ) v
           ORDER BY v."deploymentId", v.place`,
          [JSON.stringify(wanted)],
        ),
        rows => Map.groupBy(rows, row => row.deploymentId),
      )

export const versionsById = (
  tx: Tx,
  ids: ReadonlyArray<string>,
): Effect.Effect<ReadonlyArray<VersionRow>, StorageError> =>
  ids.length === 0
    ? Effect.succeed([])
    : tx.query<VersionRow>(`SELECT ${columns} FROM deployment_version v WHERE v.id = ANY($1::uuid[])`, [ids])

/** Releases of these targets, of these versions (every target with every version). */
export const releasesOf = (
  tx: Tx,
  wanted: { readonly targetKeys: ReadonlyArray<string>; readonly versionIds: ReadonlyArray<string> },
): Effect.Effect<
  ReadonlyArray<{ readonly id: string; readonly targetKey: string; readonly versionId: string }>,
  StorageError
> =>
  wanted.targetKeys.length === 0
    ? Effect.succeed([])
    : tx.query(
        `SELECT id, target_key AS "targetKey", version_id AS "versionId" FROM release
         WHERE target_key = ANY($1::text[]) AND version_id = ANY($2::uuid[])`,
        [wanted.targetKeys, wanted.versionIds],
      )
