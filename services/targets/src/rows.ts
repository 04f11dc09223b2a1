/** Rows of a target's projections, made from its state and events. What each column means stands in the migration. */
import { type ActorEffect, type Moment, project } from "@sluice/actor/definition"
import { parseReleaseTargetKey, type ReleaseTargetParts } from "@sluice/domain/ids"
import type { TargetStatusRow } from "@sluice/store/target-projections"
import type { TargetVersionPatch } from "@sluice/store/target-projections-version"
import { activeJobSet, type ReleaseRef, type TargetState, wirePhaseOf } from "./state.ts"

export type Place = ReleaseTargetParts & { readonly targetKey: string; readonly workspaceId: string }

export const placeOf = (moment: Pick<Moment, "key" | "workspaceId">): Place => {
  const parts = parseReleaseTargetKey(moment.key)
  if (parts === undefined) throw new Error(`"${moment.key}" is no release target key`)
  return { ...parts, targetKey: moment.key, workspaceId: moment.workspaceId }
}

export const statusEffect = (state: TargetState, place: Place, now: number): ActorEffect => {
  const { current, good, desired, answer, phase } = state
  const jobSetId = activeJobSet(state)
  const desiredRelease = state.releases.find(release => release.versionId === desired?.versionId)?.releaseId
  const row: TargetStatusRow = {
    key: place.targetKey,
    workspaceId: place.workspaceId,
    deploymentId: place.deploymentId,
    environmentId: place.environmentId,
    resourceId: place.resourceId,
    phase: wirePhaseOf(state),
    ...(desiredRelease === undefined ? {} : { desiredReleaseId: desiredRelease }),
    ...(current === undefined ? {} : { currentReleaseId: current.releaseId, currentVersionId: current.versionId }),
    ...(good[0] === undefined ? {} : { goodReleaseId: good[0].releaseId }),
    ...(jobSetId === undefined ? {} : { jobSetId }),
    ...(answer?.blocked === undefined
      ? {}
      : { blocked: { ...answer.blocked, ...next(answer.nextEvaluationAt) } as Record<string, unknown> }),
    ...(phase._tag === "Held" ? { hold: { reason: phase.reason, since: phase.since } } : {}),
    ...(phase._tag === "Lost" ? { hold: { reason: phase.message, since: phase.lastSeenAt, jobId: phase.jobId } } : {}),
    at: now,
  }
  return project("target_status", row)
}

const next = (nextEvaluationAt: number | undefined) => (nextEvaluationAt === undefined ? {} : { nextEvaluationAt })

export type VersionChange = Omit<
  TargetVersionPatch,
  "targetKey" | "workspaceId" | "deploymentId" | "environmentId" | "versionId"
>

export const versionEffect = (place: Place, versionId: string, change: VersionChange): ActorEffect => {
  const { targetKey, workspaceId, deploymentId, environmentId } = place
  const patch: TargetVersionPatch = { targetKey, workspaceId, deploymentId, environmentId, versionId, ...change }
  return project("target_version", patch)
}

export const releaseEffect = (place: Place, release: ReleaseRef, now: number): ActorEffect =>
  project("release", {
    id: release.releaseId,
    versionId: release.versionId,
    targetKey: place.targetKey,
    workspaceId: place.workspaceId,
    deploymentId: place.deploymentId,
    environmentId: place.environmentId,
    resourceId: place.resourceId,
    createdAt: now,
  })
