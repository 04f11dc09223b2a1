/**
 * The two scenes. Every step looks before it acts and waits for what it sees, so that the whole can be played again from
 * the start after a restart of the services, or of itself, and goes on where things stand.
 */
import type { Bus } from "@sluice/actor/ports"
import { listApprovals, recordApproval } from "@sluice/api/versions"
import type { Acknowledged } from "@sluice/protocol/journal-export"
import { Effect } from "effect"
import type { DemonstrationError } from "./failure.ts"
import type { Memory } from "./memory.ts"
import { type DeploymentName, type EnvironmentName, newTag, oldTag } from "./plan.ts"
import { publishOverHttp, publishOverNats } from "./publish.ts"
import { blockedOf, type Stage } from "./stage.ts"

export interface Playing {
  readonly stage: Stage
  readonly memory: Memory
  /** Sluice said that it has this: it must be there in the end. */
  readonly acknowledged: (fact: Acknowledged) => void
  readonly say: (text: string) => void
  /** Kills the services with SIGKILL and starts them again; absent: nobody crashes. */
  readonly crash: Effect.Effect<void, DemonstrationError> | undefined
}

type Scene = (playing: Playing) => Effect.Effect<void, DemonstrationError, Bus>

/** Both deployments get 1.0.0, one over HTTP, one over NATS. */
export const firstScene: Scene = Effect.fnUntraced(function* (playing) {
  const { stage } = playing
  // Once the second scene has begun, what this one waits for is history.
  if ((yield* stage.versionId("storefront", newTag)) !== undefined) return
  playing.say(`Scene 1: ${oldTag} of both deployments, the first over HTTP, the second over NATS`)
  const versionId = yield* overHttp(playing, "storefront", oldTag)
  yield* overNats(playing, "checkout", oldTag)
  yield* approve(playing, versionId, oldTag)
  yield* crashOnce(playing, 1, "the first production site to be confirmed", someSettled(stage, "production", oldTag))
  yield* runs(stage, "storefront", "staging", oldTag)
  yield* runs(stage, "storefront", "production", oldTag)
  yield* runs(stage, "checkout", "staging", oldTag)
  yield* runs(stage, "checkout", "production", oldTag)
})

/** Storefront 1.1.0 is bad on one production site and goes back by itself; checkout 1.1.0 goes through meanwhile. */
export const secondScene: Scene = Effect.fnUntraced(function* (playing) {
  const { stage } = playing
  playing.say(`Scene 2: storefront ${newTag}, which will not do on the third production site in its order`)
  const versionId = yield* overHttp(playing, "storefront", newTag)
  yield* approve(playing, versionId, newTag)
  yield* crashOnce(playing, 2, `two production sites with ${newTag}`, secondSettled(stage, versionId))
  yield* stage.until(
    `storefront ${newTag} to be quarantined in production`,
    Effect.map(stage.view("storefront", "production"), views =>
      views.some(view => view.state.sluice?.quarantined.some(each => each.versionId === versionId)) ? true : undefined,
    ),
  )
  playing.say(`Meanwhile: checkout ${newTag}, over NATS; one halt stops nothing else`)
  yield* overNats(playing, "checkout", newTag)
  yield* runs(stage, "storefront", "staging", newTag)
  yield* runs(stage, "storefront", "production", oldTag)
  yield* runs(stage, "checkout", "staging", newTag)
  yield* runs(stage, "checkout", "production", newTag)
})

const overHttp = Effect.fnUntraced(function* (
  { stage, acknowledged }: Playing,
  deployment: DeploymentName,
  tag: string,
) {
  const id = yield* publishOverHttp(stage, deployment, tag)
  acknowledged({ what: "version", deploymentId: stage.world.deploymentIds[deployment], tag, id })
  return id
})

const overNats = Effect.fnUntraced(function* (
  { stage, acknowledged }: Playing,
  deployment: DeploymentName,
  tag: string,
) {
  yield* publishOverNats(stage.admin.workspaceId, deployment, tag)
  acknowledged({ what: "version", deploymentId: stage.world.deploymentIds[deployment], tag })
})

/** The second user approves once nothing else holds production; at once if that was done before a restart. */
const approve = Effect.fnUntraced(function* (
  { stage, say }: Playing,
  versionId: string,
  tag: string,
): Effect.fn.Return<void, DemonstrationError> {
  const environmentId = stage.world.environmentIds.production
  const given = yield* stage.until(
    `storefront ${tag} to wait in production for nothing but an approval`,
    Effect.gen(function* () {
      const approvals = yield* stage.approver.call(listApprovals, { params: { deploymentVersionId: versionId } })
      if (approvals.items.some(each => each.environmentId === environmentId && each.status === "approved"))
        return "given"
      const views = yield* stage.view("storefront", "production")
      const missing = views.every(view => {
        const blocked = blockedOf(view)
        return blocked?.tag === tag && blocked.rule === "anyApproval"
      })
      return missing ? "missing" : undefined
    }),
  )
  if (given === "given") return
  say("The second user approves")
  yield* stage.approver.call(recordApproval, {
    params: { deploymentVersionId: versionId },
    body: { status: "approved", environmentIds: [environmentId], reason: "staging looks good" },
  })
})

/** Also waits for its events, so that the story is told up to here. */
const runs = (stage: Stage, deployment: DeploymentName, environment: EnvironmentName, tag: string) =>
  stage.until(
    `${deployment} ${tag} to be confirmed on all of ${environment}`,
    Effect.map(stage.view(deployment, environment), views =>
      views.every(view => view.settled && view.current === tag && stage.heard(view.key) === tag) ? true : undefined,
    ),
  )

const someSettled = (stage: Stage, environment: EnvironmentName, tag: string) =>
  Effect.map(stage.view("storefront", environment), views =>
    views.some(view => view.settled && view.current === tag) ? true : undefined,
  )

/** Two sites run it or, seen late, it was taken back already. */
const secondSettled = (stage: Stage, versionId: string) =>
  Effect.map(stage.view("storefront", "production"), views => {
    const there = views.filter(view => view.settled && view.state.currentRelease?.version.id === versionId)
    const gone = views.some(view => view.state.sluice?.quarantined.some(each => each.versionId === versionId))
    return there.length >= 2 || gone ? true : undefined
  })

const crashOnce = Effect.fnUntraced(function* (
  { stage, memory, say, crash }: Playing,
  scene: number,
  what: string,
  seen: Effect.Effect<true | undefined, DemonstrationError>,
): Effect.fn.Return<void, DemonstrationError> {
  if (crash === undefined || memory.read().crashed.includes(scene)) return
  yield* stage.until(what, seen)
  say("kill -9: the services are gone in the middle of it")
  // Written before: a driver that is restarted here must not kill them a second time.
  memory.write({ crashed: [...memory.read().crashed, scene] })
  yield* crash
  say("The services are back")
})
