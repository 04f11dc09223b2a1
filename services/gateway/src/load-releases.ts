/** Releases with their versions, for a set of ids in two statements. */
import type { StorageError, Tx } from "@sluice/actor/ports"
import type { Release } from "@sluice/api/release"
import type { WorkspaceId } from "@sluice/domain/ids"
import { findReleases } from "@sluice/store/release-targets-read"
import { findVersions } from "@sluice/store/versions"
import { Effect } from "effect"
import { renderRelease } from "./render-job.ts"

/** By id; ids that name nothing in the workspace are left out. */
export const loadReleases = Effect.fnUntraced(function* (
  tx: Tx,
  workspaceId: WorkspaceId,
  ids: ReadonlyArray<string>,
): Effect.fn.Return<ReadonlyMap<string, Release>, StorageError> {
  const rows = yield* findReleases(tx, workspaceId, [...new Set(ids)])
  const versions = yield* findVersions(tx, workspaceId, [...new Set([...rows.values()].map(row => row.versionId))])
  return new Map(
    [...rows.values()].flatMap(row => {
      const version = versions.get(row.versionId)
      return version === undefined ? [] : [[row.id, renderRelease(row, version)] as const]
    }),
  )
})
