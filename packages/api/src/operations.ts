/** Every operation this release answers, by noun. The gateway attaches handlers; OpenAPI is made from it. */
import * as deployments from "./deployments.ts"
import * as environments from "./environments.ts"
import * as events from "./events.ts"
import * as jobAgents from "./job-agents.ts"
import * as jobs from "./jobs.ts"
import type { Operation } from "./operation.ts"
import * as policies from "./policies.ts"
import * as releaseTargets from "./release-targets.ts"
import * as resourceProviders from "./resource-providers.ts"
import * as resources from "./resources.ts"
import * as systems from "./systems.ts"
import * as versions from "./versions.ts"
import * as workspaces from "./workspaces.ts"

const isOperation = (value: unknown): value is Operation =>
  typeof value === "object" && value !== null && "method" in value && "path" in value

export const operations: ReadonlyArray<Operation> = [
  workspaces,
  systems,
  environments,
  deployments,
  versions,
  resources,
  resourceProviders,
  jobAgents,
  jobs,
  policies,
  releaseTargets,
  events,
].flatMap(noun => Object.values(noun as Record<string, unknown>).filter(isOperation))
