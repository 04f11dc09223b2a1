/**
 * The world of one story inside an installation: a system, environments with resources, one deployment, its agent and
 * policies, all under names of its own, so that stories of one file do not see each other. Made through the HTTP interface.
 */
import { randomUUID } from "node:crypto"
import { type ReleaseTargetKey, releaseTargetKey } from "@sluice/domain/ids"
import type { RuleBodies } from "@sluice/domain/policy"
import type { MetricSpec } from "@sluice/domain/verification"
import type { Installation } from "./installation.ts"
import type { Answer } from "./installation-api.ts"
import { openStorySite, type StorySite } from "./story-site.ts"

export interface PolicyPlan {
  /** Absent: every environment of the story. */
  readonly environment?: string
  readonly rules: ReadonlyArray<RuleBodies>
}

export interface ScenePlan {
  /** Environment → names of its resources. */
  readonly environments: Readonly<Record<string, ReadonlyArray<string>>>
  readonly agentType: string
  readonly agentConfig: Readonly<Record<string, unknown>>
  readonly policies: ReadonlyArray<PolicyPlan>
}

type Body = Answer["body"]

export class Scene {
  readonly installation: Installation
  readonly site: StorySite
  /** Part of every name of this story. */
  readonly id: string
  readonly systemId: string
  readonly deploymentId: string
  readonly deploymentName: string
  readonly agentId: string
  readonly environmentIds: ReadonlyMap<string, string>
  /** Resource name → its target. */
  readonly targets: ReadonlyMap<
    string,
    { readonly key: ReleaseTargetKey; readonly environment: string; readonly identifier: string }
  >
  readonly policyIds: ReadonlyArray<string>

  constructor(
    parts: Pick<
      Scene,
      | "installation"
      | "site"
      | "id"
      | "systemId"
      | "deploymentId"
      | "deploymentName"
      | "agentId"
      | "environmentIds"
      | "targets"
      | "policyIds"
    >,
  ) {
    this.installation = parts.installation
    this.site = parts.site
    this.id = parts.id
    this.systemId = parts.systemId
    this.deploymentId = parts.deploymentId
    this.deploymentName = parts.deploymentName
    this.agentId = parts.agentId
    this.environmentIds = parts.environmentIds
    this.targets = parts.targets
    this.policyIds = parts.policyIds
  }

  get api() {
    return this.installation.api
  }

  target(name: string) {
    const target = this.targets.get(name)
    if (target === undefined) throw new Error(`the story has no target "${name}"`)
    return target
  }

  environmentId(name: string): string {
    const id = this.environmentIds.get(name)
    if (id === undefined) throw new Error(`the story has no environment "${name}"`)
    return id
  }

  publish(tag: string, more: Readonly<Record<string, unknown>> = {}): Promise<Body> {
    return this.api.post(`W/deployments/${this.deploymentId}/versions`, { tag, status: "ready", ...more })
  }

  async version(tag: string): Promise<Body> {
    const { items } = await this.api.get(`W/deployments/${this.deploymentId}/versions?limit=200`)
    const found = items.find((version: Body) => version.tag === tag)
    if (found === undefined)
      throw new Error(`there is no version ${tag}; there are ${items.map((one: Body) => one.tag)}`)
    return found
  }

  async newestVersion(): Promise<Body | undefined> {
    const { items } = await this.api.get(`W/deployments/${this.deploymentId}/versions?limit=1&order=desc`)
    return items[0]
  }

  state(name: string): Promise<Body> {
    return this.api.get(`W/release-targets/${this.target(name).key}/state`)
  }
  why(name: string): Promise<Body> {
    return this.api.get(`W/release-targets/${this.target(name).key}/why`)
  }
  history(name: string): Promise<Body> {
    return this.api.get(`W/release-targets/${this.target(name).key}/history`)
  }
  /** Newest first. */
  async jobs(name: string): Promise<ReadonlyArray<Body>> {
    return (await this.api.get(`W/release-targets/${this.target(name).key}/jobs?limit=200`)).items
  }

  close(): Promise<void> {
    return this.site.close()
  }
}

export const makeScene = async (installation: Installation, plan: ScenePlan): Promise<Scene> => {
  const { api } = installation
  const id = randomUUID().slice(0, 8)
  const site = await openStorySite()
  const here = `resource.metadata["story"] == "${id}"`
  const { id: systemId } = await api.post("W/systems", { name: `system-${id}` })
  const agentId = randomUUID()
  await api.put(`W/job-agents/${agentId}`, { name: `agent-${id}`, type: plan.agentType, config: plan.agentConfig })
  const deploymentName = `shop-${id}`
  const deployment = await api.post("W/deployments", {
    name: deploymentName,
    slug: deploymentName,
    resourceSelector: here,
    jobAgentSelector: `jobAgent.id == "${agentId}"`,
  })
  const environmentIds = new Map<string, string>()
  const targets = new Map<string, { key: ReleaseTargetKey; environment: string; identifier: string }>()
  for (const [environment, names] of Object.entries(plan.environments)) {
    const { id: environmentId } = await api.post("W/environments", {
      name: `${environment}-${id}`,
      resourceSelector: `${here} && resource.metadata["environment"] == "${environment}"`,
    })
    environmentIds.set(environment, environmentId)
    await api.put(`W/systems/${systemId}/environments/${environmentId}`)
    for (const name of names) {
      const identifier = `${id}/${name}`
      await api.put(`W/resources/identifier/${encodeURIComponent(identifier)}`, resourceBody(id, environment, name))
      const resource = await api.get(`W/resources/identifier/${encodeURIComponent(identifier)}`)
      const parts = { resourceId: resource.id, environmentId, deploymentId: deployment.id }
      targets.set(name, {
        key: releaseTargetKey(parts as Parameters<typeof releaseTargetKey>[0]),
        environment,
        identifier,
      })
    }
  }
  const policyIds: Array<string> = []
  for (const { environment, rules } of plan.policies) {
    const there = environment === undefined ? "" : ` && environment.name == "${environment}-${id}"`
    const selector = `deployment.name == "${deploymentName}"${there}`
    const named = inStory(rules, id, site)
    policyIds.push(
      (await api.post("W/policies", { name: `policy-${policyIds.length}-${id}`, selector, rules: named })).id,
    )
  }
  // Linked last, so that the first look at the targets sees everything above.
  await api.put(`W/systems/${systemId}/deployments/${deployment.id}`)
  return new Scene({
    installation,
    site,
    id,
    systemId,
    deploymentId: deployment.id,
    deploymentName,
    agentId,
    environmentIds,
    targets,
    policyIds,
  })
}

export const resourceBody = (story: string, environment: string, name: string) => ({
  name,
  kind: "Site",
  version: "v1",
  metadata: { story, environment },
})

/** Rules speak of `$story` and of the story's site; both are known only now. */
const inStory = (rules: ReadonlyArray<RuleBodies>, id: string, site: StorySite): Body =>
  JSON.parse(JSON.stringify(rules).replaceAll("$story", id).replaceAll("$site", site.url))

/** Looks at the story's site every second. */
export const errorRateMetric = (more: Partial<MetricSpec> = {}): MetricSpec => ({
  name: "error rate",
  intervalSeconds: 1,
  count: 1,
  provider: { type: "http", url: "$site" },
  successCondition: "result.json.errorRate < 0.1",
  ...more,
})
