/** The public events of targets that came and went. Pure. */
import { type ActorEffect, publish } from "@sluice/actor/definition"
import type { MovedTarget } from "@sluice/store/planning"

/** Beyond this many at once a stream of events would drown whoever reads it: one then says how many, and where. */
export const singleEventsMax = 100
/** Of the deployments and environments a summary names. */
const namedMax = 100

export interface Announcement {
  /** The target it is about; absent for a summary. */
  readonly key?: string
  readonly effect: ActorEffect
}

export const announce = (
  type: "target.joined" | "target.left",
  workspaceId: string,
  moved: ReadonlyArray<MovedTarget>,
): ReadonlyArray<Announcement> => {
  const of = (subject: string, data: Parameters<typeof publish>[0]["data"]) =>
    publish({ type, version: 1, subject, actor: "system", data })
  if (moved.length <= singleEventsMax) {
    return moved.map(({ key, ...parts }) => ({ key, effect: of(key, { count: 1, ...parts }) }))
  }
  const deploymentIds = [...new Set(moved.map(target => target.deploymentId))].slice(0, namedMax)
  const environmentIds = [...new Set(moved.map(target => target.environmentId))].slice(0, namedMax)
  return [{ effect: of(workspaceId, { count: moved.length, deploymentIds, environmentIds }) }]
}
