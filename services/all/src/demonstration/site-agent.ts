/**
 * The demonstration's own side: all its sites, and the agent that deploys to them. Knows which version is bad, and where.
 */
import type { Bus, BusError } from "@sluice/actor/ports"
import { Effect, type Scope } from "effect"
import { runAgent } from "./agent.ts"
import { badPosition, orderOf } from "./outcome.ts"
import {
  badErrorRate,
  type DeploymentName,
  deployMilliseconds,
  deploymentNames,
  environmentNames,
  goodErrorRate,
  newTag,
  resourceNames,
} from "./plan.ts"
import { openSite, type Site } from "./site.ts"
import type { SiteUrl, World } from "./world.ts"

export type SiteOf = (deployment: string, resource: string) => Site | undefined

/** One per deployment and resource. */
export const openSites = Effect.fnUntraced(function* (directory: string): Effect.fn.Return<SiteOf, never, Scope.Scope> {
  const sites = new Map<string, Site>()
  for (const deployment of deploymentNames) {
    for (const resource of environmentNames.flatMap(name => resourceNames[name])) {
      const name = `${deployment}@${resource}`
      sites.set(name, yield* openSite(directory, name))
    }
  }
  return (deployment, resource) => sites.get(`${deployment}@${resource}`)
})

/** Where a site of the plan answers. */
export const urlOf =
  (siteOf: SiteOf): SiteUrl =>
  (deployment, resource) => {
    const site = siteOf(deployment, resource)
    if (site === undefined) throw new Error(`the plan has no site of ${deployment} on ${resource}`)
    return site.url
  }

export const runSiteAgent = (
  workspaceId: string,
  world: World,
  siteOf: SiteOf,
): Effect.Effect<void, BusError, Bus | Scope.Scope> =>
  runAgent({
    workspaceId,
    jobAgentId: world.jobAgentId,
    deploy: Effect.fnUntraced(function* (request) {
      const site = siteOf(request.deployment, request.resource)
      // Somebody may add deployments of their own to the workspace and pick this agent.
      if (site === undefined)
        return yield* Effect.fail(`there is no site of ${request.deployment} on ${request.resource}`)
      const content = { version: request.tag, errorRate: errorRateOf(world, request) }
      if (site.isDone(request.jobId)) return content
      yield* Effect.sleep(deployMilliseconds(request.resource))
      yield* site.deploy(request.jobId, content)
      return content
    }),
  })

/** Storefront 1.1.0 is bad in one place only: on the third production target in its own order. */
const errorRateOf = (
  world: World,
  request: { readonly deployment: string; readonly resource: string; readonly versionId: string; readonly tag: string },
): number => {
  if (request.deployment !== ("storefront" satisfies DeploymentName) || request.tag !== newTag) return goodErrorRate
  const bad = orderOf(world.targets, request.versionId)[badPosition - 1]
  const target = world.targets.find(each => each.key === bad)
  return target?.resource === request.resource ? badErrorRate : goodErrorRate
}
