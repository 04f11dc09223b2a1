/**
 * The load of the fault lane: 300 release targets of three deployments, each deployment receiving a version every two
 * seconds, run by the simulated agent with a short delay. Remembers every version whose publication was acknowledged; goes
 * on asking while services are down, as a CI job would.
 */
import { randomUUID } from "node:crypto"
import type { Acknowledged } from "@sluice/protocol/journal-export"
import type { Installation } from "./installation.ts"

export interface LoadOptions {
  readonly targetsPerDeployment: number
  /** One per deployment. */
  readonly agents: ReadonlyArray<{ readonly type: string; readonly config: Readonly<Record<string, unknown>> }>
}
const simulated = { type: "test-runner", config: { delaySeconds: 0.5 } }
const defaults: LoadOptions = { targetsPerDeployment: 100, agents: [simulated, simulated, simulated] }
const publishEveryMilliseconds = 2_000

export interface Load {
  readonly environmentId: string
  readonly deploymentIds: ReadonlyArray<string>
  /** By deployment. */
  readonly agentIds: ReadonlyArray<string>
  readonly targetsPerDeployment: number
  readonly targets: number
  /** Starts publishing; `stop` ends it once the versions under way are acknowledged. */
  readonly start: () => void
  readonly stop: () => Promise<void>
  readonly acknowledged: ReadonlyArray<Acknowledged>
  /** One more version for every deployment, now; answers its tag. */
  readonly publish: (more?: Readonly<Record<string, unknown>>) => Promise<string>
  /** How many targets run the newest version of their deployment and rest; `all` once none is missing. */
  readonly progress: () => Promise<Progress>
}

export interface Progress {
  readonly targets: number
  readonly current: number
  /** phase → how many. */
  readonly phases: Readonly<Record<string, number>>
  /** What targets that do not move say, each reason once. */
  readonly reasons: ReadonlyArray<string>
}

export const prepareLoad = async (installation: Installation, options: Partial<LoadOptions> = {}): Promise<Load> => {
  const { targetsPerDeployment, agents } = { ...defaults, ...options }
  const { api } = installation
  const id = randomUUID().slice(0, 8)
  const { id: providerId } = await api.put("W/resource-providers", { name: `provider-${id}` })
  const resources = Array.from({ length: targetsPerDeployment }, (_, i) => ({
    identifier: `${id}/host-${i}`,
    name: `host-${i}`,
    kind: "Host",
    version: "v1",
    metadata: { load: id },
  }))
  await api.put(`W/resource-providers/${providerId}/set`, { resources })
  const resourceSelector = `resource.metadata["load"] == "${id}"`
  const { id: systemId } = await api.post("W/systems", { name: `load-${id}` })
  const { id: environmentId } = await api.post("W/environments", { name: `load-${id}`, resourceSelector })
  await api.put(`W/systems/${systemId}/environments/${environmentId}`)
  const deploymentIds: Array<string> = []
  const agentIds: Array<string> = []
  for (const [i, { type, config }] of agents.entries()) {
    const name = `load-${i}-${id}`
    const agentId = randomUUID()
    await api.put(`W/job-agents/${agentId}`, { name, type, config })
    const jobAgentSelector = `jobAgent.id == "${agentId}"`
    const deployment = await api.post("W/deployments", { name, slug: name, resourceSelector, jobAgentSelector })
    await api.put(`W/systems/${systemId}/deployments/${deployment.id}`)
    agentIds.push(agentId)
    deploymentIds.push(deployment.id)
  }
  const acknowledged: Array<Acknowledged> = []
  const underWay = new Set<Promise<unknown>>()
  let counter = 0
  let timer: ReturnType<typeof setInterval> | undefined

  const publishTo = async (deploymentId: string, tag: string, more: object): Promise<void> => {
    const content = { tag, status: "ready", ...more }
    const answer = await api.through("POST", `W/deployments/${deploymentId}/versions`, content)
    // Asked again after an answer was lost, the same content is a conflict that says so.
    const versionId =
      answer.status < 300 ? answer.body.id : answer.body.details?.identical === true && answer.body.details.versionId
    if (typeof versionId !== "string")
      throw new Error(`version ${tag} was answered ${answer.status}: ${JSON.stringify(answer.body)}`)
    acknowledged.push({ what: "version", deploymentId, tag, id: versionId })
  }
  const publish: Load["publish"] = async (more = {}) => {
    const tag = `0.0.${++counter}`
    const all = Promise.all(deploymentIds.map(deploymentId => publishTo(deploymentId, tag, more)))
    underWay.add(all)
    await all.finally(() => underWay.delete(all))
    return tag
  }
  return {
    environmentId,
    deploymentIds,
    agentIds,
    targetsPerDeployment,
    targets: targetsPerDeployment * agents.length,
    acknowledged,
    publish,
    start: () => {
      timer = setInterval(() => void publish(), publishEveryMilliseconds)
    },
    stop: async () => {
      clearInterval(timer)
      await Promise.all(underWay)
    },
    progress: async () => {
      const rows = await installation.query<{ phase: string; current: boolean; count: number }>(progressQuery, [
        deploymentIds,
      ])
      const phases: Record<string, number> = {}
      for (const row of rows) phases[row.phase] = (phases[row.phase] ?? 0) + row.count
      const sum = (list: typeof rows) => list.reduce((total, row) => total + row.count, 0)
      const blocked = await installation.query<{ reason: string }>(reasonsQuery, [deploymentIds])
      const reasons = blocked.map(row => row.reason)
      return {
        reasons,
        targets: sum(rows),
        current: sum(rows.filter(row => row.current && row.phase === "idle")),
        phases,
      }
    },
  }
}

/** Asked of the database: three hundred questions over HTTP would be load of their own. */
const progressQuery = `
  SELECT coalesce(s.phase, 'unknown') AS phase, s.current_version_id IS NOT DISTINCT FROM newest.id AND newest.id IS NOT NULL AS current,
    count(*)::int AS count
  FROM release_target t LEFT JOIN target_status s ON s.key = t.key
  LEFT JOIN LATERAL (SELECT id FROM deployment_version v WHERE v.deployment_id = t.deployment_id
    ORDER BY created_at DESC, id DESC LIMIT 1) newest ON true
  WHERE t.deployment_id = ANY($1::uuid[]) AND t.present GROUP BY 1, 2`

const reasonsQuery = `
  SELECT DISTINCT (s.blocked->>'rule') || ': ' || (s.blocked->>'reason') AS reason FROM target_status s
  WHERE s.deployment_id = ANY($1::uuid[]) AND s.phase IN ('waiting', 'held') ORDER BY 1 LIMIT 10`
