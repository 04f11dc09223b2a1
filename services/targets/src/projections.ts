/** The target's projections by name, as the runtime writes them. */
import type { ReleaseTargetKey, VersionId } from "@sluice/domain/ids"
import { rolloutOrder } from "@sluice/rules/rollout-order"
import {
  quarantineProjection,
  releaseProjection,
  targetStatusProjection,
  waitProjection,
  whyProjection,
} from "@sluice/store/target-projections"
import { rolloutPositionProjection } from "@sluice/store/target-projections-rollout"
import { targetVersionProjection } from "@sluice/store/target-projections-version"

export const projections = {
  target_status: targetStatusProjection,
  target_version: targetVersionProjection,
  release: releaseProjection,
  rollout_position: rolloutPositionProjection((keys, versionId) =>
    rolloutOrder(keys as ReadonlyArray<ReleaseTargetKey>, versionId as VersionId),
  ),
  quarantine: quarantineProjection,
  wait: waitProjection,
  target_why: whyProjection,
}
