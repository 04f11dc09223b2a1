/** The wait index, read: which targets asked to be woken by a subject. The target actor's batches write it. */
import type { Tx } from "@sluice/actor/ports"
import { Effect } from "effect"

/**
 * Targets of the workspace that wait on any of the subjects, each once, by key after `afterKey` (`""` for the first page),
 * at most `limit`.
 */
export const targetsWaitingOn = Effect.fnUntraced(function* (
  tx: Tx,
  workspaceId: string,
  subjects: ReadonlyArray<string>,
  afterKey: string,
  limit: number,
) {
  const rows = yield* tx.query<{ key: string }>(
    `SELECT DISTINCT target_key AS key FROM wait
     WHERE workspace_id = $1 AND subject = ANY($2::text[]) AND target_key > $3
     ORDER BY target_key LIMIT $4`,
    [workspaceId, subjects, afterKey, limit],
  )
  return rows.map(row => row.key)
})
