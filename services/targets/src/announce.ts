/** Public events of a target: who, what, and the reason in words. */
import { type ActorEffect, publish } from "@sluice/actor/definition"
import type { JsonObject } from "@sluice/domain/json"
import type { EventType } from "@sluice/protocol/event"
import type { Place } from "./rows.ts"
import type { VersionRef } from "./state.ts"

/** `subject`: the target, unless another is named. */
export const tell = (
  type: EventType,
  place: Place,
  data: { readonly [key: string]: unknown },
  subject: string = place.targetKey,
): ActorEffect => {
  const { targetKey, deploymentId, environmentId, resourceId } = place
  const where: JsonObject = { targetKey, deploymentId, environmentId, resourceId }
  return publish({ type, version: 1, subject, actor: "system", data: { ...where, ...(data as JsonObject) } })
}

export const tellHalted = (
  place: Place,
  version: VersionRef,
  { failed, allowed }: { readonly failed: number; readonly allowed: number },
): ActorEffect => {
  const reason = `rollout halted, ${failed} of ${allowed} failures allowed`
  return tell("rollout.halted", place, { ...version, failed, allowed, reason }, version.versionId)
}
