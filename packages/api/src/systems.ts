/** Systems: a named grouping. A release target exists only where deployment and environment share one. */
import { Schema } from "effect"
import { Accepted, Metadata, optional, PageQuery, page, Text } from "./common.ts"
import { Deployment } from "./deployment.ts"
import { Environment } from "./environment.ts"
import { operation, W } from "./operation.ts"
import { System } from "./system.ts"

const Upsert = Schema.Struct({
  name: Text,
  /** Not stored: reads back equal to the name. */
  slug: optional(Text),
  description: optional(Text),
  metadata: optional(Metadata),
})
const DeploymentLink = Schema.Struct({ systemId: Text, deploymentId: Text })
const EnvironmentLink = Schema.Struct({ systemId: Text, environmentId: Text })
const tag = "systems"

export const listSystems = operation({
  id: "listSystems",
  summary: "Systems",
  tag,
  method: "GET",
  path: `${W}/systems`,
  query: PageQuery,
  success: page(System),
})
export const createSystem = operation({
  id: "requestSystemCreation",
  summary: "Create a system",
  tag,
  method: "POST",
  path: `${W}/systems`,
  body: Upsert,
  status: 202,
  success: Accepted,
})
export const getSystem = operation({
  id: "getSystem",
  summary: "A system with its deployments and environments",
  tag,
  method: "GET",
  path: `${W}/systems/{systemId}`,
  success: Schema.Struct({
    ...System.fields,
    deployments: Schema.Array(Deployment),
    environments: Schema.Array(Environment),
  }),
  errors: [404],
})
export const upsertSystem = operation({
  id: "requestSystemUpsert",
  summary: "Create or replace a system",
  tag,
  method: "PUT",
  path: `${W}/systems/{systemId}`,
  body: Upsert,
  status: 202,
  success: Accepted,
  errors: [409],
})
export const deleteSystem = operation({
  id: "requestSystemDeletion",
  summary: "Delete a system and its links; deployments and environments stay",
  tag,
  method: "DELETE",
  path: `${W}/systems/{systemId}`,
  status: 202,
  success: Accepted,
  errors: [404],
})

const deploymentLink = `${W}/systems/{systemId}/deployments/{deploymentId}` as const
export const getDeploymentLink = operation({
  id: "getDeploymentSystemLink",
  summary: "Is the deployment in the system?",
  tag,
  method: "GET",
  path: deploymentLink,
  success: DeploymentLink,
  errors: [404],
})
export const linkDeployment = operation({
  id: "linkDeploymentToSystem",
  summary: "Put a deployment into a system",
  tag,
  method: "PUT",
  path: deploymentLink,
  status: 202,
  success: Accepted,
  errors: [404],
})
export const unlinkDeployment = operation({
  id: "unlinkDeploymentFromSystem",
  summary: "Take a deployment out of a system",
  tag,
  method: "DELETE",
  path: deploymentLink,
  status: 202,
  success: Accepted,
  errors: [404],
})

const environmentLink = `${W}/systems/{systemId}/environments/{environmentId}` as const
export const getEnvironmentLink = operation({
  id: "getEnvironmentSystemLink",
  summary: "Is the environment in the system?",
  tag,
  method: "GET",
  path: environmentLink,
  success: EnvironmentLink,
  errors: [404],
})
export const linkEnvironment = operation({
  id: "linkEnvironmentToSystem",
  summary: "Put an environment into a system",
  tag,
  method: "PUT",
  path: environmentLink,
  status: 202,
  success: Accepted,
  errors: [404],
})
export const unlinkEnvironment = operation({
  id: "unlinkEnvironmentFromSystem",
  summary: "Take an environment out of a system",
  tag,
  method: "DELETE",
  path: environmentLink,
  status: 202,
  success: Accepted,
  errors: [404],
})
