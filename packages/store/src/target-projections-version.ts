/**
 * `target_version`: what a version has come to on a target. Written as patches; those of one (target, version) within a
 * batch are merged in order first, so that a batch is one insert and one update. Times go in as epoch milliseconds.
 */
import type { StorageError, Tx } from "@sluice/actor/ports"
import { Effect } from "effect"

export interface TargetVersionPatch {
  readonly targetKey: string
  readonly versionId: string
  readonly workspaceId: string
  readonly deploymentId: string
  readonly environmentId: string
  readonly startedAt?: number
  readonly outcome?: { readonly status: string; readonly at: number }
  readonly verification?: "none" | "running" | "passed" | "failed"
  readonly verifiedAt?: number
  readonly settledAt?: number
  readonly failedAt?: number
  readonly clearsFailure?: true
  readonly quarantine?: { readonly at: number; readonly reason: string }
  readonly clearsQuarantine?: true
}

interface Merged {
  readonly targetKey: string
  readonly versionId: string
  readonly workspaceId: string
  readonly deploymentId: string
  readonly environmentId: string
  readonly startedAt?: number
  /** Terminal status → earliest, and latest, end. */
  readonly first: { readonly [status: string]: number }
  readonly last: { readonly [status: string]: number }
  readonly verification?: string
  readonly verifiedAt?: number
  readonly settledAt?: number
  readonly failedAt?: number
  /** Whether the stored value goes first: a failure after a clearance stands. */
  readonly clearsFailure: boolean
  readonly quarantinedAt?: number
  readonly quarantineReason?: string
  readonly clearsQuarantine: boolean
}

export const targetVersionProjection = Effect.fnUntraced(function* (
  tx: Tx,
  patches: ReadonlyArray<TargetVersionPatch>,
): Effect.fn.Return<void, StorageError> {
  if (patches.length === 0) return
  const rows = JSON.stringify(mergePatches(patches))
  yield* tx.query(
    `INSERT INTO target_version (target_key, version_id, workspace_id, deployment_id, environment_id)
     SELECT "targetKey", "versionId", "workspaceId", "deploymentId", "environmentId"
     FROM jsonb_to_recordset($1::jsonb) AS row ("targetKey" text, "versionId" uuid, "workspaceId" uuid, "deploymentId" uuid,
       "environmentId" uuid)
     ORDER BY 1, 2
     ON CONFLICT (target_key, version_id) DO NOTHING`,
    [rows],
  )
  yield* tx.query(
    `UPDATE target_version tv SET
       started_at = coalesce(${time("startedAt")}, tv.started_at),
       outcomes = row.first || tv.outcomes,
       latest = tv.latest || row.last,
       verification = coalesce(row.verification, tv.verification),
       verified_at = coalesce(${time("verifiedAt")}, tv.verified_at),
       settled_at = coalesce(tv.settled_at, ${time("settledAt")}),
       failed_at = coalesce(${time("failedAt")}, CASE WHEN NOT row."clearsFailure" THEN tv.failed_at END),
       quarantined_at = coalesce(${time("quarantinedAt")}, CASE WHEN NOT row."clearsQuarantine" THEN tv.quarantined_at END),
       quarantine_reason = coalesce(row."quarantineReason",
         CASE WHEN NOT row."clearsQuarantine" THEN tv.quarantine_reason END)
     FROM jsonb_to_recordset($1::jsonb) AS row ("targetKey" text, "versionId" uuid, "startedAt" float8, first jsonb, last jsonb,
       verification text, "verifiedAt" float8, "settledAt" float8, "failedAt" float8, "clearsFailure" boolean,
       "quarantinedAt" float8, "quarantineReason" text, "clearsQuarantine" boolean)
     WHERE tv.target_key = row."targetKey" AND tv.version_id = row."versionId"`,
    [rows],
  )
})

const time = (column: string) => `'epoch'::timestamptz + row."${column}" * interval '1 millisecond'`

/** One row per (target, version), in key order. */
export const mergePatches = (patches: ReadonlyArray<TargetVersionPatch>): ReadonlyArray<Merged> => {
  const merged = new Map<string, Merged>()
  for (const patch of patches) {
    const key = `${patch.targetKey}:${patch.versionId}`
    merged.set(key, merge(merged.get(key), patch))
  }
  return [...merged.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
}

const merge = (before: Merged | undefined, patch: TargetVersionPatch): Merged => {
  const { outcome, quarantine, clearsFailure, clearsQuarantine, ...rest } = patch
  const { failedAt, ...withoutFailure } = before ?? {
    first: {},
    last: {},
    clearsFailure: false,
    clearsQuarantine: false,
  }
  const { quarantinedAt, quarantineReason, ...kept } = withoutFailure as Omit<Merged, "failedAt">
  return {
    ...kept,
    ...(failedAt === undefined || clearsFailure === true ? {} : { failedAt }),
    ...(quarantinedAt === undefined || clearsQuarantine === true ? {} : { quarantinedAt }),
    ...(quarantineReason === undefined || clearsQuarantine === true ? {} : { quarantineReason }),
    ...rest,
    first: outcome === undefined ? kept.first : { [outcome.status]: outcome.at, ...kept.first },
    last: outcome === undefined ? kept.last : { ...kept.last, [outcome.status]: outcome.at },
    clearsFailure: kept.clearsFailure || clearsFailure === true,
    clearsQuarantine: kept.clearsQuarantine || clearsQuarantine === true,
    ...(quarantine === undefined ? {} : { quarantinedAt: quarantine.at, quarantineReason: quarantine.reason }),
  }
}
