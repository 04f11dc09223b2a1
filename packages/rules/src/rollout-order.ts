/**
 * The order of a gradual rollout: a stable hash of target and version, so that successive versions do not always try the
 * same target first. Source: semantics 4.3.
 */

import { compareHash, fnv1a64 } from "@sluice/domain/hash"
import type { ReleaseTargetKey, VersionId } from "@sluice/domain/ids"

/**
 * The targets in order: ascending by the FNV-1a 64 of the key (`resourceId-environmentId-deploymentId`) followed by the
 * version id; equal hashes by key. O(n log n): order once per (pair, version) and batch, not per target.
 */
export const rolloutOrder = (
  keys: ReadonlyArray<ReleaseTargetKey>,
  versionId: VersionId,
): ReadonlyArray<ReleaseTargetKey> =>
  keys
    .map(key => ({ key, hash: fnv1a64(key + versionId) }))
    .sort((a, b) => compareHash(a.hash, b.hash) || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ key }) => key)

/**
 * Seconds after the rollout's start at which a place is due. `linear`: the interval is the gap between two targets;
 * `linear-normalized`: it is the whole, and the order divide, multiply, truncate matters for the last second.
 */
export const offsetSeconds = (
  type: "linear" | "linear-normalized",
  place: { readonly position: number; readonly total: number },
  intervalSeconds: number,
): number =>
  type === "linear" ? place.position * intervalSeconds : Math.trunc((place.position / place.total) * intervalSeconds)
