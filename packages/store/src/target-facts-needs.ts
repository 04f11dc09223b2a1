/**
 * Answers to what the rules need to know: approvals, progression, quarantine, failures. One statement per kind for a
 * whole batch; each need names its answer by `key`. Times are epoch milliseconds.
 */
import type { StorageError, Tx } from "@sluice/actor/ports"
import { Effect } from "effect"

export interface ApprovalRow {
  readonly key: string
  readonly userId: string
  readonly status: "approved" | "rejected"
  readonly createdAt: number
}

export const approvalsFor = (
  tx: Tx,
  needs: ReadonlyArray<{ readonly key: string; readonly versionId: string; readonly environmentId: string }>,
): Effect.Effect<ReadonlyArray<ApprovalRow>, StorageError> =>
  needs.length === 0
    ? Effect.succeed([])
    : tx.query<ApprovalRow>(
        `SELECT n.key, a.user_id AS "userId", a.status, floor(extract(epoch FROM a.created_at) * 1000)::float8 AS "createdAt"
         FROM jsonb_to_recordset($1::jsonb) AS n (key text, "versionId" uuid, "environmentId" uuid)
         JOIN approval a ON a.version_id = n."versionId" AND a.environment_id = n."environmentId"`,
        [JSON.stringify(needs)],
      )

export interface ProgressionWanted {
  readonly key: string
  readonly deploymentId: string
  readonly environmentId: string
  readonly versionId: string
  readonly successStatuses: ReadonlyArray<string>
  readonly requireVerification: boolean
  readonly minimumPercentage: number
}

export interface ProgressionRow {
  readonly key: string
  readonly targets: number
  readonly succeeded: number
  readonly earliest: number | null
  readonly kth: number | null
  readonly latest: number | null
  readonly mostRecent: number | null
}

/**
 * How far versions have come in environments; only targets that exist now count. k = ceil(n × (min − 0.0001) / 100), at
 * least 1, in float8 as in the rules. A target has succeeded at the earliest end with a wanted status; when verification
 * is required, if it passed or there was none, at the later of both.
 */
export const progressionsFor = (
  tx: Tx,
  needs: ReadonlyArray<ProgressionWanted>,
): Effect.Effect<ReadonlyArray<ProgressionRow>, StorageError> =>
  needs.length === 0
    ? Effect.succeed([])
    : tx.query<ProgressionRow>(
        `SELECT n.key, count(rt.key)::int AS targets, count(s.at)::int AS succeeded, min(s.at) AS earliest,
           max(s.at) AS latest, max(s.recent) AS "mostRecent",
           (array_agg(s.at ORDER BY s.at) FILTER (WHERE s.at IS NOT NULL))[
             greatest(1, ceil(count(rt.key)::float8 * (n."minimumPercentage" - 0.0001) / 100)::int)] AS kth
         FROM jsonb_to_recordset($1::jsonb) AS n (key text, "deploymentId" uuid, "environmentId" uuid, "versionId" uuid,
           "successStatuses" jsonb, "requireVerification" boolean, "minimumPercentage" float8)
         LEFT JOIN release_target rt
           ON rt.deployment_id = n."deploymentId" AND rt.environment_id = n."environmentId" AND rt.present
         LEFT JOIN target_version tv ON tv.target_key = rt.key AND tv.version_id = n."versionId"
         LEFT JOIN LATERAL (
           SELECT CASE WHEN min(ended.first) IS NOT NULL THEN greatest(min(ended.first), verified.at) END AS at,
             CASE WHEN max(ended.last) IS NOT NULL THEN greatest(max(ended.last), verified.at) END AS recent
           FROM (SELECT CASE WHEN n."requireVerification" THEN extract(epoch FROM tv.verified_at) * 1000 END::float8 AS at) verified
           JOIN LATERAL (
             SELECT (tv.outcomes ->> status)::float8 AS first, (tv.latest ->> status)::float8 AS last
             FROM jsonb_array_elements_text(n."successStatuses") AS status
           ) ended ON NOT n."requireVerification" OR tv.verification IN ('none', 'passed')
           GROUP BY verified.at
         ) s ON true
         GROUP BY n.key, n."minimumPercentage"`,
        [JSON.stringify(needs)],
      )

export interface QuarantineRow {
  readonly key: string
  readonly scope: "environment" | "deployment"
  readonly reason: string
  readonly at: number
}

/** Quarantines that reach further than one target, not released; of two, the environment's. */
export const quarantinesFor = (
  tx: Tx,
  needs: ReadonlyArray<{
    readonly key: string
    readonly deploymentId: string
    readonly environmentId: string
    readonly versionId: string
  }>,
): Effect.Effect<ReadonlyArray<QuarantineRow>, StorageError> =>
  needs.length === 0
    ? Effect.succeed([])
    : tx.query<QuarantineRow>(
        `SELECT DISTINCT ON (n.key) n.key, q.reason, floor(extract(epoch FROM q.at) * 1000)::float8 AS at,
           CASE q.scope WHEN 'deployment' THEN 'deployment' ELSE 'environment' END AS scope
         FROM jsonb_to_recordset($1::jsonb) AS n (key text, "deploymentId" uuid, "environmentId" text, "versionId" uuid)
         JOIN quarantine q ON q.deployment_id = n."deploymentId" AND q.version_id = n."versionId"
           AND q.scope IN (n."environmentId", 'deployment') AND q.released_at IS NULL
         ORDER BY n.key, (q.scope = 'deployment')`,
        [JSON.stringify(needs)],
      )

/** On how many targets that exist now each version failed for good, by environment. */
export const failuresOf = (
  tx: Tx,
  versionIds: ReadonlyArray<string>,
): Effect.Effect<
  ReadonlyArray<{ readonly versionId: string; readonly environmentId: string; readonly failed: number }>,
  StorageError
> =>
  versionIds.length === 0
    ? Effect.succeed([])
    : tx.query(
        `SELECT tv.version_id AS "versionId", tv.environment_id AS "environmentId", count(*)::int AS failed
         FROM target_version tv JOIN release_target rt ON rt.key = tv.target_key AND rt.present
         WHERE tv.version_id = ANY($1::uuid[]) AND tv.failed_at IS NOT NULL
         GROUP BY 1, 2`,
        [versionIds],
      )
