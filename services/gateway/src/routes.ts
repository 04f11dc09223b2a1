/** Every operation with its handler. A test compares this with the operations of `packages/api`. */
import { deploymentRoutes } from "./handle/deployments.ts"
import { environmentRoutes } from "./handle/environments.ts"
import { eventRoutes } from "./handle/events.ts"
import { jobAgentRoutes } from "./handle/job-agents.ts"
import { jobRoutes } from "./handle/jobs.ts"
import { policyRoutes } from "./handle/policies.ts"
import { releaseTargetRoutes } from "./handle/release-targets.ts"
import { resourceProviderRoutes } from "./handle/resource-providers.ts"
import { resourceRoutes } from "./handle/resources.ts"
import { systemRoutes } from "./handle/systems.ts"
import { dependencyRoutes } from "./handle/version-dependencies.ts"
import { versionRoutes } from "./handle/versions.ts"
import { workspaceRoutes } from "./handle/workspaces.ts"
import type { Route } from "./route.ts"

export const routes: ReadonlyArray<Route> = [
  ...workspaceRoutes,
  ...systemRoutes,
  ...environmentRoutes,
  ...deploymentRoutes,
  ...versionRoutes,
  ...dependencyRoutes,
  ...resourceRoutes,
  ...resourceProviderRoutes,
  ...jobAgentRoutes,
  ...jobRoutes,
  ...policyRoutes,
  ...releaseTargetRoutes,
  ...eventRoutes,
]
