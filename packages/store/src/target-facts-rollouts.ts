/**
 * What rollouts read: the targets of a pair (deployment, environment), the stored order of a version, who ahead is not
 * settled, who is busy. Settled is: settled on the version, failed for good on it, or held for a person.
 */
import type { StorageError, Tx } from "@sluice/actor/ports"
import { Effect } from "effect"

export interface Pair {
  readonly deploymentId: string
  readonly environmentId: string
}
export interface PairVersion extends Pair {
  readonly versionId: string
}

export interface PairTargetRow extends Pair {
  readonly key: string
  readonly name: string
  readonly phase: string | null
  /** Held for a person, without a job that may be running. */
  readonly held: boolean
}

const pairRecord = `jsonb_to_recordset($1::jsonb) AS n ("deploymentId" uuid, "environmentId" uuid, "versionId" uuid)`
const heldForPerson = "(ts.phase = 'held' AND ts.job_set_id IS NULL) IS TRUE"

/** All targets that exist now, in the order in which they joined. Read only where no stored order does. */
export const targetsOfPairs = (
  tx: Tx,
  pairs: ReadonlyArray<Pair>,
): Effect.Effect<ReadonlyArray<PairTargetRow>, StorageError> =>
  pairs.length === 0
    ? Effect.succeed([])
    : tx.query<PairTargetRow>(
        `SELECT rt.key, rt.deployment_id AS "deploymentId", rt.environment_id AS "environmentId",
           coalesce(r.name, rt.key) AS name, ts.phase, ${heldForPerson} AS held
         FROM ${pairRecord}
         JOIN release_target rt ON rt.deployment_id = n."deploymentId" AND rt.environment_id = n."environmentId" AND rt.present
         LEFT JOIN resource r ON r.id = rt.resource_id
         LEFT JOIN target_status ts ON ts.key = rt.key
         ORDER BY rt.joined_at, rt.key`,
        [JSON.stringify(pairs)],
      )

export interface RolloutRow extends PairVersion {
  readonly failed: number
  readonly total: number
  /** When the stored order was fixed; null: there is none. */
  readonly startedAt: number | null
  readonly lastStartAt: number | null
  readonly newerId: string | null
  readonly newerTag: string | null
}

export const rolloutsOf = (
  tx: Tx,
  wanted: ReadonlyArray<PairVersion>,
): Effect.Effect<ReadonlyArray<RolloutRow>, StorageError> =>
  wanted.length === 0
    ? Effect.succeed([])
    : tx.query<RolloutRow>(
        `SELECT n."deploymentId", n."environmentId", n."versionId", newer.id AS "newerId", newer.tag AS "newerTag",
           (SELECT count(*)::int FROM release_target rt
             WHERE rt.deployment_id = n."deploymentId" AND rt.environment_id = n."environmentId" AND rt.present) AS total,
           (SELECT count(*)::int FROM target_version tv JOIN release_target rt ON rt.key = tv.target_key AND rt.present
             WHERE tv.version_id = n."versionId" AND tv.environment_id = n."environmentId" AND tv.failed_at IS NOT NULL) AS failed,
           (SELECT floor(extract(epoch FROM min(rp.started_at)) * 1000)::float8 FROM rollout_position rp
             WHERE rp.environment_id = n."environmentId" AND rp.version_id = n."versionId") AS "startedAt",
           (SELECT floor(extract(epoch FROM max(tv.started_at)) * 1000)::float8 FROM target_version tv
             WHERE tv.version_id = n."versionId" AND tv.environment_id = n."environmentId") AS "lastStartAt"
         FROM ${pairRecord}
         LEFT JOIN deployment_version v ON v.id = n."versionId"
         LEFT JOIN LATERAL (
           SELECT w.id, w.tag FROM deployment_version w
           WHERE w.deployment_id = n."deploymentId" AND (w.created_at, w.id) > (v.created_at, v.id) AND w.status <> 'rejected'
             AND EXISTS (SELECT 1 FROM target_version tv
               WHERE tv.version_id = w.id AND tv.environment_id = n."environmentId" AND tv.started_at IS NOT NULL)
             AND NOT EXISTS (SELECT 1 FROM quarantine q WHERE q.deployment_id = n."deploymentId" AND q.version_id = w.id
               AND q.scope IN (n."environmentId"::text, 'deployment') AND q.released_at IS NULL)
           ORDER BY w.created_at DESC, w.id DESC LIMIT 1
         ) newer ON true`,
        [JSON.stringify(wanted)],
      )

/** Targets that are settled on a version whose order is not stored yet. */
export const settledOn = (
  tx: Tx,
  wanted: ReadonlyArray<PairVersion>,
): Effect.Effect<ReadonlyArray<{ readonly versionId: string; readonly key: string }>, StorageError> =>
  wanted.length === 0
    ? Effect.succeed([])
    : tx.query(
        `SELECT tv.version_id AS "versionId", tv.target_key AS key
         FROM ${pairRecord}
         JOIN target_version tv ON tv.version_id = n."versionId" AND tv.environment_id = n."environmentId"
         WHERE tv.settled_at IS NOT NULL OR tv.failed_at IS NOT NULL`,
        [JSON.stringify(wanted)],
      )

export interface PlaceWanted {
  readonly key: string
  readonly targetKey: string
  readonly environmentId: string
  readonly versionId: string
  readonly most: number
}

export interface PlaceRow {
  readonly key: string
  /** The target's own place in the stored order; null: it came later and has not started. */
  readonly own: number | null
  /** Unsettled targets ahead, nearest first. */
  readonly ahead: ReadonlyArray<{
    readonly key: string
    readonly name: string
    readonly position: number
    readonly phase: string | null
  }>
}

/** Places in stored orders. A target without one stands behind all that have. */
export const placesOf = (
  tx: Tx,
  wanted: ReadonlyArray<PlaceWanted>,
): Effect.Effect<ReadonlyArray<PlaceRow>, StorageError> =>
  wanted.length === 0
    ? Effect.succeed([])
    : tx.query<PlaceRow>(
        `SELECT n.key, mine.position AS own, coalesce(others.ahead, '[]') AS ahead
         FROM jsonb_to_recordset($1::jsonb) AS n (key text, "targetKey" text, "environmentId" uuid, "versionId" uuid, most int)
         LEFT JOIN rollout_position mine ON mine.environment_id = n."environmentId" AND mine.version_id = n."versionId"
           AND mine.target_key = n."targetKey"
         LEFT JOIN LATERAL (
           SELECT json_agg(json_build_object('key', a.target_key, 'name', a.name, 'position', a.position, 'phase', a.phase)
             ORDER BY a.position DESC) AS ahead
           FROM (
             SELECT p.target_key, p.position, ts.phase, coalesce(r.name, p.target_key) AS name
             FROM rollout_position p
             JOIN release_target rt ON rt.key = p.target_key AND rt.present
             LEFT JOIN target_version tv ON tv.target_key = p.target_key AND tv.version_id = p.version_id
             LEFT JOIN target_status ts ON ts.key = p.target_key
             LEFT JOIN resource r ON r.id = rt.resource_id
             WHERE p.environment_id = n."environmentId" AND p.version_id = n."versionId"
               AND (mine.position IS NULL OR p.position < mine.position)
               AND tv.settled_at IS NULL AND tv.failed_at IS NULL AND NOT ${heldForPerson}
             ORDER BY p.position DESC LIMIT n.most
           ) a
         ) others ON true`,
        [JSON.stringify(wanted)],
      )

/** Targets that joined after a stored order was fixed and have no place in it, in the order in which they joined. */
export const lateArrivals = (
  tx: Tx,
  wanted: ReadonlyArray<PairVersion>,
): Effect.Effect<
  ReadonlyArray<{
    readonly versionId: string
    readonly key: string
    readonly name: string
    readonly phase: string | null
    readonly held: boolean
    readonly environmentId: string
  }>,
  StorageError
> =>
  wanted.length === 0
    ? Effect.succeed([])
    : tx.query(
        `SELECT n."versionId", n."environmentId", rt.key, coalesce(r.name, rt.key) AS name, ts.phase, ${heldForPerson} AS held
         FROM ${pairRecord}
         JOIN release_target rt ON rt.deployment_id = n."deploymentId" AND rt.environment_id = n."environmentId" AND rt.present
         LEFT JOIN resource r ON r.id = rt.resource_id
         LEFT JOIN target_status ts ON ts.key = rt.key
         WHERE NOT EXISTS (SELECT 1 FROM rollout_position p WHERE p.environment_id = n."environmentId"
           AND p.version_id = n."versionId" AND p.target_key = rt.key)
         ORDER BY rt.joined_at, rt.key`,
        [JSON.stringify(wanted)],
      )

/** Targets with an active job, verification or rollback, whatever its version, and whether they exist or have left. */
export const busyTargets = (
  tx: Tx,
  pairs: ReadonlyArray<Pair>,
): Effect.Effect<ReadonlyArray<Pair & { readonly key: string }>, StorageError> =>
  pairs.length === 0
    ? Effect.succeed([])
    : tx.query(
        `SELECT ts.key, ts.deployment_id AS "deploymentId", ts.environment_id AS "environmentId"
         FROM ${pairRecord}
         JOIN target_status ts ON ts.deployment_id = n."deploymentId" AND ts.environment_id = n."environmentId"
         WHERE ts.phase IN ('deploying', 'verifying', 'rollingBack') OR (ts.phase = 'held' AND ts.job_set_id IS NOT NULL)`,
        [JSON.stringify(pairs)],
      )
