/** The states of release targets, for a set of keys in a fixed number of statements. */
import type { StorageError, Tx } from "@sluice/actor/ports"
import type { TargetState } from "@sluice/api/release-targets"
import type { WorkspaceId } from "@sluice/domain/ids"
import { latestJobs } from "@sluice/store/jobs-read"
import { findQuarantined, findStatuses, type StatusRow, verificationsOf } from "@sluice/store/release-targets-read"
import { Effect } from "effect"
import { loadReleases } from "./load-releases.ts"
import { isoTime, present } from "./render.ts"
import { renderJob, renderVerification } from "./render-job.ts"

/** One entry per key; a target that was never evaluated has an empty state. */
export const loadStates = Effect.fnUntraced(function* (
  tx: Tx,
  workspaceId: WorkspaceId,
  keys: ReadonlyArray<string>,
): Effect.fn.Return<ReadonlyMap<string, TargetState>, StorageError> {
  const statuses = yield* findStatuses(tx, workspaceId, keys)
  const known = [...statuses.keys()]
  const releases = yield* loadReleases(tx, workspaceId, [...statuses.values()].flatMap(releaseIds))
  const jobs = yield* latestJobs(tx, known)
  const verifications = yield* verificationsOf(
    tx,
    [...jobs.values()].map(job => job.jobSetId),
  )
  const quarantined = yield* findQuarantined(tx, known)

  const stateOf = (key: string): TargetState => {
    const status = statuses.get(key)
    if (status === undefined) return {}
    const job = jobs.get(key)
    const latestJob = job && {
      job: renderJob(job, { withContext: false }),
      verifications: verifications
        .filter(each => each.jobSetId === job.jobSetId)
        .map(each => renderVerification(each, job.id)),
    }
    return {
      ...present({
        desiredRelease: releases.get(status.desiredReleaseId ?? ""),
        currentRelease: releases.get(status.currentReleaseId ?? ""),
        latestJob,
      }),
      sluice: {
        phase: status.phase,
        ...present({ blocked: status.blocked, hold: status.hold, lastKnownGoodReleaseId: status.goodReleaseId }),
        quarantined: quarantined
          .filter(each => each.key === key)
          .map(each => ({ versionId: each.versionId, reason: each.reason ?? "", at: isoTime(each.at) })),
      },
    }
  }
  return new Map(keys.map(key => [key, stateOf(key)]))
})

const releaseIds = (status: StatusRow): ReadonlyArray<string> =>
  [status.desiredReleaseId, status.currentReleaseId].filter(id => id !== null)
