/** Deployments: what is released. The name is unique in the workspace; a slug reads back equal to the name. */
import { Schema } from "effect"
import { Accepted, CelPageQuery, Config, Metadata, optional, PageQuery, page, Text } from "./common.ts"
import { Deployment } from "./deployment.ts"
import { operation, W } from "./operation.ts"
import { System } from "./system.ts"

const Upsert = Schema.Struct({
  name: Text,
  slug: optional(Text),
  description: optional(Text),
  resourceSelector: optional(Text),
  /** Moves together with `jobAgentConfig`: a config without a selector is dropped on update. */
  jobAgentSelector: optional(Text),
  jobAgentConfig: optional(Config),
  metadata: optional(Metadata),
})
const Systems = Schema.Array(System)
const Full = Schema.Struct({ deployment: Deployment, systems: Systems, variables: Schema.Array(Schema.Unknown) })
const tag = "deployments"

export const listDeployments = operation({
  id: "listDeployments",
  summary: "Deployments; `cel` filters over `deployment`",
  tag,
  method: "GET",
  path: `${W}/deployments`,
  query: CelPageQuery,
  success: page(Schema.Struct({ deployment: Deployment, systems: Systems })),
})
export const createDeployment = operation({
  id: "requestDeploymentCreation",
  summary: "Create a deployment",
  tag,
  method: "POST",
  path: `${W}/deployments`,
  body: Upsert,
  status: 202,
  success: Accepted,
  errors: [409],
})
export const getDeploymentByName = operation({
  id: "getDeploymentByName",
  summary: "A deployment by its exact name",
  tag,
  method: "GET",
  path: `${W}/deployments/name/{name}`,
  success: Full,
  errors: [404],
})
export const getDeployment = operation({
  id: "getDeployment",
  summary: "A deployment with its systems",
  tag,
  method: "GET",
  path: `${W}/deployments/{deploymentId}`,
  success: Full,
  errors: [404],
})
export const upsertDeployment = operation({
  id: "requestDeploymentUpsert",
  summary: "Create or replace a deployment",
  tag,
  method: "PUT",
  path: `${W}/deployments/{deploymentId}`,
  body: Upsert,
  status: 202,
  success: Accepted,
  errors: [409],
})
export const deleteDeployment = operation({
  id: "requestDeploymentDeletion",
  summary: "Delete a deployment; its versions stay as history",
  tag,
  method: "DELETE",
  path: `${W}/deployments/{deploymentId}`,
  status: 202,
  success: Accepted,
  errors: [404],
})
export const listDeploymentVariables = operation({
  id: "listDeploymentVariablesByDeployment",
  summary: "A deployment's variables; none yet in this release",
  tag,
  method: "GET",
  path: `${W}/deployments/{deploymentId}/variables`,
  query: PageQuery,
  success: page(Schema.Unknown),
})
