/**
 * Everything the demonstration needs in its workspace, made over HTTP by ids that stay the same: systems, deployments,
 * environments, resources through a provider's full set, a job agent, policies. Making it again changes nothing.
 */
import { upsertDeployment } from "@sluice/api/deployments"
import { upsertEnvironment } from "@sluice/api/environments"
import { upsertJobAgent } from "@sluice/api/job-agents"
import { upsertPolicy } from "@sluice/api/policies"
import { listProviderResources, setProviderResources, upsertProvider } from "@sluice/api/resource-providers"
import { linkDeployment, linkEnvironment, upsertSystem } from "@sluice/api/systems"
import {
  type DeploymentId,
  type EnvironmentId,
  type ReleaseTargetKey,
  type ResourceId,
  releaseTargetKey,
} from "@sluice/domain/ids"
import { Effect } from "effect"
import type { Client } from "./client.ts"
import type { DemonstrationError } from "./failure.ts"
import {
  type DeploymentName,
  deploymentNames,
  type EnvironmentName,
  environmentNames,
  fixedId,
  patienceSeconds,
  policies,
  resourceNames,
} from "./plan.ts"

export interface Target {
  readonly key: ReleaseTargetKey
  readonly deployment: DeploymentName
  readonly environment: EnvironmentName
  readonly resource: string
  readonly url: string
}

export interface World {
  readonly deploymentIds: { readonly [D in DeploymentName]: string }
  readonly environmentIds: { readonly [E in EnvironmentName]: string }
  readonly jobAgentId: string
  readonly targets: ReadonlyArray<Target>
}

const provider = "demonstration"

/** Where the site of a deployment on a resource answers. */
export type SiteUrl = (deployment: DeploymentName, resource: string) => string

export const prepareWorld = Effect.fnUntraced(function* (
  client: Client,
  siteUrl: SiteUrl,
): Effect.fn.Return<World, DemonstrationError> {
  const { deploymentIds, environmentIds, jobAgentId, systemId, policyId } = idsOf(client.workspaceId)
  yield* client.call(upsertSystem, { params: { systemId }, body: { name: "shop" } })
  yield* client.call(upsertJobAgent, {
    params: { jobAgentId },
    body: { name: "site agent", type: "nats", config: { deadlineSeconds: patienceSeconds } },
  })
  for (const policy of policies(client.workspaceId)) {
    yield* client.call(upsertPolicy, {
      params: { policyId: policyId(policy.name) },
      body: { ...policy, enabled: true, priority: 0, metadata: {} },
    })
  }
  for (const name of environmentNames) {
    const environmentId = environmentIds[name]
    const resourceSelector = `resource.metadata["stage"] == "${name}"`
    yield* client.call(upsertEnvironment, { params: { environmentId }, body: { name, resourceSelector } })
    yield* client.call(linkEnvironment, { params: { systemId, environmentId } })
  }
  for (const name of deploymentNames) {
    const deploymentId = deploymentIds[name]
    yield* client.call(upsertDeployment, {
      params: { deploymentId },
      body: { name, resourceSelector: "true", jobAgentSelector: `jobAgent.name == "site agent"`, jobAgentConfig: {} },
    })
    yield* client.call(linkDeployment, { params: { systemId, deploymentId } })
  }
  return yield* findWorld(client, siteUrl)
})

/** The world as it was made; of all of it only the sites' addresses are brought up to date. */
export const findWorld = Effect.fnUntraced(function* (
  client: Client,
  siteUrl: SiteUrl,
): Effect.fn.Return<World, DemonstrationError> {
  const { deploymentIds, environmentIds, jobAgentId } = idsOf(client.workspaceId)
  const resourceIds = yield* setResources(client, siteUrl)
  const targets = deploymentNames.flatMap(deployment =>
    environmentNames.flatMap(environment =>
      resourceNames[environment].map((resource): Target => {
        const key = releaseTargetKey({
          resourceId: (resourceIds.get(resource) ?? "") as ResourceId,
          environmentId: environmentIds[environment] as EnvironmentId,
          deploymentId: deploymentIds[deployment] as DeploymentId,
        })
        return { key, deployment, environment, resource, url: siteUrl(deployment, resource) }
      }),
    ),
  )
  return { deploymentIds, environmentIds, jobAgentId, targets }
})

const idsOf = (workspaceId: string) => {
  const id = (name: string) => fixedId(workspaceId, name)
  return {
    systemId: id("system/shop"),
    jobAgentId: id("agent"),
    deploymentIds: byName(deploymentNames, name => id(`deployment/${name}`)),
    environmentIds: byName(environmentNames, name => id(`environment/${name}`)),
    policyId: (name: string) => id(`policy/${name}`),
  }
}

/** Answers the resources' ids by name. */
const setResources = Effect.fnUntraced(function* (
  client: Client,
  siteUrl: SiteUrl,
): Effect.fn.Return<ReadonlyMap<string, string>, DemonstrationError> {
  const { id } = yield* client.call(upsertProvider, { body: { name: provider } })
  const resources = environmentNames.flatMap(stage =>
    resourceNames[stage].map(name => ({
      identifier: `shop/${name}`,
      name,
      kind: "Site",
      version: "sluice.dev/v1",
      config: { sites: byName(deploymentNames, deployment => siteUrl(deployment, name)) },
      metadata: { stage },
    })),
  )
  yield* client.call(setProviderResources, { params: { providerId: id }, body: { resources } })
  const { items } = yield* client.call(listProviderResources, { params: { name: provider } })
  return new Map(items.map(item => [item.name, item.id]))
})

const byName = <K extends string>(names: ReadonlyArray<K>, value: (name: K) => string) =>
  Object.fromEntries(names.map(name => [name, value(name)])) as { readonly [Name in K]: string }
