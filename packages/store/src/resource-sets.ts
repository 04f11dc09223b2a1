/**
 * A provider's full set in a few statements, whatever its size: what is listed is written and owned by the provider, what
 * it owned and no longer lists ends. Identifiers of another provider are left alone, unowned ones adopted.
 */
import type { StorageError, Tx } from "@sluice/actor/ports"
import type { WorkspaceId } from "@sluice/domain/ids"
import type { JsonObject, Metadata } from "@sluice/domain/json"
import { Effect } from "effect"

export interface SetEntry {
  /** Used when the resource is new. */
  readonly id: string
  readonly identifier: string
  readonly name: string
  readonly kind: string
  readonly version: string
  readonly config: JsonObject
  readonly metadata: Metadata
}

export interface SetChange {
  /** Ids of resources created, changed or adopted. */
  readonly written: ReadonlyArray<string>
  readonly ended: ReadonlyArray<string>
}

/** Of an identifier given twice the last entry counts. A resource that is already as given is not touched. */
export const setResources = Effect.fnUntraced(function* (
  tx: Tx,
  provider: { readonly workspaceId: WorkspaceId; readonly providerId: string },
  entries: ReadonlyArray<SetEntry>,
): Effect.fn.Return<SetChange, StorageError> {
  const listed = [...new Map(entries.map((entry, position) => [entry.identifier, { ...entry, position }])).values()]
  const values = [provider.workspaceId, provider.providerId, JSON.stringify(listed)]
  const ended = yield* tx.query<{ id: string }>(
    `UPDATE resource SET deleted_at = now(), updated_at = now()
     WHERE workspace_id = $1 AND provider_id = $2 AND deleted_at IS NULL
       AND identifier NOT IN (SELECT l.identifier FROM jsonb_to_recordset($3::jsonb) AS l (identifier text))
     RETURNING id`,
    values,
  )
  const written = yield* tx.query<{ id: string }>(
    `INSERT INTO resource (id, workspace_id, provider_id, identifier, name, kind, version, config, metadata, position)
     SELECT id, $1, $2, identifier, name, kind, version, config, metadata, position
     FROM jsonb_to_recordset($3::jsonb) AS l
       (id uuid, identifier text, name text, kind text, version text, config jsonb, metadata jsonb, position int)
     ORDER BY identifier
     ON CONFLICT (workspace_id, identifier) WHERE deleted_at IS NULL DO UPDATE
     SET provider_id = excluded.provider_id, name = excluded.name, kind = excluded.kind, version = excluded.version,
         config = excluded.config, metadata = excluded.metadata, position = excluded.position, updated_at = now()
     WHERE (resource.provider_id IS NULL OR resource.provider_id = excluded.provider_id)
       AND (resource.provider_id, resource.name, resource.kind, resource.version, resource.config, resource.metadata)
         IS DISTINCT FROM
         (excluded.provider_id, excluded.name, excluded.kind, excluded.version, excluded.config, excluded.metadata)
     RETURNING id`,
    values,
  )
  // The order of the set is no change of a resource: nobody is told.
  yield* tx.query(
    `UPDATE resource r SET position = l.position
     FROM jsonb_to_recordset($3::jsonb) AS l (identifier text, position int)
     WHERE r.workspace_id = $1 AND r.provider_id = $2 AND r.deleted_at IS NULL
       AND r.identifier = l.identifier AND r.position IS DISTINCT FROM l.position`,
    values,
  )
  return { written: written.map(row => row.id), ended: ended.map(row => row.id) }
})
