/**
 * What the scenes act on and look at: the two users' clients, the world, the states of all targets as the API tells them,
 * and waiting. Waiting looks again after every event of the workspace, and once a second in case no event speaks of it.
 */
import type { PublicEvent } from "@sluice/api/events"
import { listTargetStates, type TargetState } from "@sluice/api/release-targets"
import { listVersions } from "@sluice/api/versions"
import { releaseTargetKey } from "@sluice/domain/ids"
import type { EventType } from "@sluice/protocol/event"
import { Effect, Latch } from "effect"
import type { Client } from "./client.ts"
import type { DemonstrationError } from "./failure.ts"
import { type DeploymentName, deploymentNames, type EnvironmentName, environmentNames } from "./plan.ts"
import type { Target, World } from "./world.ts"

export interface TargetView extends Target {
  readonly state: TargetState
  /** Tag of the release that the API says runs here. */
  readonly current: string | undefined
  /** What runs is known good and nothing is under way. */
  readonly settled: boolean
}

export interface Stage {
  readonly admin: Client
  readonly approver: Client
  readonly world: World
  /** The targets of a deployment in an environment, in the order of the plan. */
  readonly view: (
    deployment: DeploymentName,
    environment: EnvironmentName,
  ) => Effect.Effect<ReadonlyArray<TargetView>, DemonstrationError>
  /** The id of a deployment's version, once Sluice has it. */
  readonly versionId: (deployment: DeploymentName, tag: string) => Effect.Effect<string | undefined, DemonstrationError>
  /** Returns what `look` found. `what` completes "waited for …". */
  readonly until: <A>(
    what: string,
    look: Effect.Effect<A | undefined, DemonstrationError>,
  ) => Effect.Effect<A, DemonstrationError>
  /** An event came: look again. */
  readonly hear: (event: PublicEvent) => void
  /** Tag of the release whose arrival was the last thing heard of a target; undefined while something is under way. */
  readonly heard: (targetKey: string) => string | undefined
  /** What is being waited for, for whoever gives up. */
  readonly waitingFor: () => string
  /** All of it, for whoever gives up: one line per target. */
  readonly describe: Effect.Effect<ReadonlyArray<string>, DemonstrationError>
}

const lookAgainAfter = 1_000
const arrivals: ReadonlySet<string> = new Set<EventType>(["target.confirmed", "target.rolledBack"])
const departures: ReadonlySet<string> = new Set<EventType>(["target.deploying", "target.rollingBack"])

export const makeStage = (options: {
  readonly admin: Client
  readonly approver: Client
  readonly world: World
}): Stage => {
  const { admin, approver, world } = options
  const news = Latch.makeUnsafe(false)
  const arrived = new Map<string, string>()
  let waitingFor = "the demonstration to begin"

  const view: Stage["view"] = Effect.fnUntraced(function* (deployment, environment) {
    const body = { deploymentId: world.deploymentIds[deployment], environmentId: world.environmentIds[environment] }
    const { items } = yield* admin.call(listTargetStates, { query: { limit: 100 }, body })
    const states = new Map(items.map(item => [releaseTargetKey(item.releaseTarget as never), item.state]))
    return world.targets
      .filter(target => target.deployment === deployment && target.environment === environment)
      .map(target => viewOf(target, states.get(target.key) ?? {}))
  })

  return {
    admin,
    approver,
    world,
    view,
    versionId: (deployment, tag) =>
      Effect.map(
        admin.call(listVersions, {
          params: { deploymentId: world.deploymentIds[deployment] },
          query: { limit: 100 },
        }),
        ({ items }) => items.find(version => version.tag === tag)?.id,
      ),
    until: Effect.fnUntraced(function* (what, look) {
      waitingFor = what
      for (;;) {
        // Closed before looking: what happens while we look wakes the wait that follows.
        news.closeUnsafe()
        const found = yield* look
        if (found !== undefined) return found
        yield* Effect.timeoutOption(news.await, lookAgainAfter)
      }
    }),
    hear: event => {
      const { tag } = event.data
      if (arrivals.has(event.type) && typeof tag === "string") arrived.set(event.subject, tag)
      else if (departures.has(event.type)) arrived.delete(event.subject)
      news.openUnsafe()
    },
    heard: targetKey => arrived.get(targetKey),
    waitingFor: () => waitingFor,
    describe: Effect.gen(function* () {
      const views: Array<TargetView> = []
      for (const deployment of deploymentNames) {
        for (const environment of environmentNames) views.push(...(yield* view(deployment, environment)))
      }
      return views.map(describeView)
    }),
  }
}

const viewOf = (target: Target, state: TargetState): TargetView => {
  const { currentRelease: release, sluice } = state
  const resting = sluice?.phase === "idle" || sluice?.phase === "waiting"
  return {
    ...target,
    state,
    current: release?.version.tag,
    settled: release !== undefined && resting && sluice.lastKnownGoodReleaseId === release.id,
  }
}

const describeView = (view: TargetView): string => {
  const { sluice, latestJob } = view.state
  const job = latestJob === undefined ? "no job" : `last job ${latestJob.job.status}`
  const blocked = blockedOf(view)
  const where = `${view.deployment} ${view.resource}`
  return `${where}: runs ${view.current ?? "nothing"}, ${sluice?.phase ?? "unknown to Sluice"}, ${job}${blocked === undefined ? "" : `, ${blocked.tag}: ${blocked.reason}`}`
}

export interface BlockedView {
  readonly rule: string
  readonly tag: string
  readonly reason: string
}

/** Why the newest version is not desired on a target, as the API answers it. */
export const blockedOf = ({ state }: TargetView): BlockedView | undefined => {
  const blocked = state.sluice?.blocked as Partial<BlockedView> | undefined | null
  return typeof blocked?.rule === "string" && typeof blocked.tag === "string" && typeof blocked.reason === "string"
    ? { rule: blocked.rule, tag: blocked.tag, reason: blocked.reason }
    : undefined
}
