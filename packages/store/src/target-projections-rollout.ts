/**
 * `rollout_position`: the order of a verified rollout. Fixed as a whole with the version's first start in the pair; a
 * target that comes later takes the next place with its own start. What the order is, the caller knows.
 */
import type { StorageError, Tx } from "@sluice/actor/ports"
import { Effect } from "effect"
import { type PairVersion, targetsOfPairs } from "./target-facts-rollouts.ts"

/** A start under a verified rollout. */
export interface RolloutStartRow extends PairVersion {
  readonly workspaceId: string
  readonly targetKey: string
  readonly startedAt: number
}

export const rolloutPositionProjection =
  (orderOf: (keys: ReadonlyArray<string>, versionId: string) => ReadonlyArray<string>) =>
  (tx: Tx, rows: ReadonlyArray<RolloutStartRow>): Effect.Effect<void, StorageError> =>
    // One by one: a batch holds the guard of a pair, and is cut before another start of it.
    Effect.forEach(rows, row => place(tx, row, orderOf), { discard: true })

const place = Effect.fnUntraced(function* (
  tx: Tx,
  row: RolloutStartRow,
  orderOf: (keys: ReadonlyArray<string>, versionId: string) => ReadonlyArray<string>,
): Effect.fn.Return<void, StorageError> {
  const { environmentId, versionId, targetKey } = row
  const [stored] = yield* tx.query<{ readonly last: number | null; readonly mine: boolean }>(
    `SELECT max(position) AS last, coalesce(bool_or(target_key = $3), false) AS mine FROM rollout_position
     WHERE environment_id = $1 AND version_id = $2`,
    [environmentId, versionId, targetKey],
  )
  if (stored?.mine === true) return
  const last = stored?.last ?? undefined
  const keys = last === undefined ? orderOf(yield* presentKeys(tx, row), versionId) : [targetKey]
  const placed = keys.includes(targetKey) ? keys : [...keys, targetKey]
  yield* tx.query(
    `INSERT INTO rollout_position (deployment_id, environment_id, version_id, position, target_key, workspace_id, started_at)
     SELECT $1, $2, $3, $4 + place - 1, target_key, $5, 'epoch'::timestamptz + $6::float8 * interval '1 millisecond'
     FROM unnest($7::text[]) WITH ORDINALITY AS x (target_key, place)
     ON CONFLICT (environment_id, version_id, target_key) DO NOTHING`,
    [
      row.deploymentId,
      environmentId,
      versionId,
      last === undefined ? 0 : last + 1,
      row.workspaceId,
      row.startedAt,
      placed,
    ],
  )
})

const presentKeys = (tx: Tx, pair: PairVersion) =>
  Effect.map(targetsOfPairs(tx, [pair]), targets => targets.map(target => target.key))
