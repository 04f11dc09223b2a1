/**
 * Which message of a batch is behind what happened to a target, so that its history names the change that moved it and
 * not a neighbour's. Pure.
 */
import { parseReleaseTargetKey } from "@sluice/domain/ids"
import type { CatalogChanged } from "@sluice/protocol/planner"

export interface Cause {
  /** Index of the message among those of the batch. */
  readonly index: number
  readonly reason: string
}

/** Answers by target key: the first message that names its resource, deployment or environment, else the last one. */
export const causesOf = (
  messages: ReadonlyArray<{ readonly index: number; readonly body: CatalogChanged }>,
): ((key: string) => Cause) => {
  const named = new Map<string, Cause>()
  let last: Cause = { index: 0, reason: "" }
  for (const { index, body } of messages) {
    last = { index, reason: body.reason }
    const versions = (body.versions ?? []).map(version => version.deploymentId)
    for (const id of [
      ...(body.resources ?? []),
      ...(body.deployments ?? []),
      ...(body.environments ?? []),
      ...versions,
    ]) {
      if (!named.has(id)) named.set(id, last)
    }
  }
  return key => {
    const parts = parseReleaseTargetKey(key)
    if (parts === undefined) return last
    return named.get(parts.resourceId) ?? named.get(parts.deploymentId) ?? named.get(parts.environmentId) ?? last
  }
}
