/** Environments: the resources a CEL selector picks. The name is unique in the workspace. */
import { Schema } from "effect"
import { Accepted, Metadata, optional, PageQuery, page, Text } from "./common.ts"
import { Environment } from "./environment.ts"
import { operation, W } from "./operation.ts"
import { System } from "./system.ts"

const Upsert = Schema.Struct({
  name: Text,
  description: optional(Text),
  resourceSelector: optional(Text),
  metadata: optional(Metadata),
})
const WithSystems = Schema.Struct({ ...Environment.fields, systems: Schema.Array(System) })
const tag = "environments"

export const listEnvironments = operation({
  id: "listEnvironments",
  summary: "Environments",
  tag,
  method: "GET",
  path: `${W}/environments`,
  query: PageQuery,
  success: page(Environment),
})
export const createEnvironment = operation({
  id: "requestEnvironmentCreation",
  summary: "Create an environment",
  tag,
  method: "POST",
  path: `${W}/environments`,
  body: Upsert,
  status: 202,
  success: Accepted,
  errors: [409],
})
export const getEnvironmentByName = operation({
  id: "getEnvironmentByName",
  summary: "An environment by its exact name",
  tag,
  method: "GET",
  path: `${W}/environments/name/{name}`,
  success: WithSystems,
  errors: [404],
})
export const getEnvironment = operation({
  id: "getEnvironment",
  summary: "An environment with its systems",
  tag,
  method: "GET",
  path: `${W}/environments/{environmentId}`,
  success: WithSystems,
  errors: [404],
})
export const upsertEnvironment = operation({
  id: "requestEnvironmentUpsert",
  summary: "Create or replace an environment",
  tag,
  method: "PUT",
  path: `${W}/environments/{environmentId}`,
  body: Upsert,
  status: 202,
  success: Accepted,
  errors: [409],
})
export const deleteEnvironment = operation({
  id: "requestEnvironmentDeletion",
  summary: "Delete an environment",
  tag,
  method: "DELETE",
  path: `${W}/environments/{environmentId}`,
  status: 202,
  success: Accepted,
  errors: [404],
})
