/** The variables of resources, by key. A write always replaces the whole set. */
import type { StorageError, Tx } from "@sluice/actor/ports"
import type { WorkspaceId } from "@sluice/domain/ids"
import type { Json } from "@sluice/domain/json"
import { Effect } from "effect"
import type { Listing, Window } from "./listing.ts"

export interface ResourceVariableRow {
  readonly resourceId: string
  readonly key: string
  readonly value: Json
}

export const listResourceVariables = Effect.fnUntraced(function* (
  tx: Tx,
  resourceId: string,
  window: Window,
): Effect.fn.Return<Listing<ResourceVariableRow>, StorageError> {
  const items = yield* tx.query<ResourceVariableRow>(
    `SELECT resource_id AS "resourceId", key, value FROM resource_variable WHERE resource_id = $1
     ORDER BY key LIMIT $2 OFFSET $3`,
    [resourceId, window.limit, window.offset],
  )
  const [count] = yield* tx.query<{ total: number }>(
    "SELECT count(*) AS total FROM resource_variable WHERE resource_id = $1",
    [resourceId],
  )
  return { items, total: count?.total ?? 0 }
})

/** The caller holds the resource's row, so that two replacements come one after the other. */
export const replaceResourceVariables = Effect.fnUntraced(function* (
  tx: Tx,
  resource: { readonly workspaceId: WorkspaceId; readonly resourceId: string },
  variables: { readonly [key: string]: Json },
): Effect.fn.Return<void, StorageError> {
  yield* tx.query("DELETE FROM resource_variable WHERE resource_id = $1", [resource.resourceId])
  yield* tx.query(
    `INSERT INTO resource_variable (resource_id, workspace_id, key, value)
     SELECT $1, $2, key, value FROM jsonb_each($3::jsonb) ORDER BY key`,
    [resource.resourceId, resource.workspaceId, JSON.stringify(variables)],
  )
})
