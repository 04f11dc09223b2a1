/** The job agents that take their work over NATS, over all workspaces: whoever makes their consumers reads them here. */
import type { StorageError, Tx } from "@sluice/actor/ports"
import type { JsonObject } from "@sluice/domain/json"
import { Effect } from "effect"

export interface NatsAgentRow {
  readonly id: string
  readonly workspaceId: string
  readonly config: JsonObject
}

/** By workspace, ordered by id. */
export const loadNatsAgents = Effect.fnUntraced(function* (
  tx: Pick<Tx, "query">,
): Effect.fn.Return<ReadonlyMap<string, ReadonlyArray<NatsAgentRow>>, StorageError> {
  const rows = yield* tx.query<NatsAgentRow>(
    `SELECT id, workspace_id AS "workspaceId", config FROM job_agent
     WHERE type = 'nats' AND deleted_at IS NULL ORDER BY workspace_id, id`,
  )
  return Map.groupBy(rows, row => row.workspaceId)
})
