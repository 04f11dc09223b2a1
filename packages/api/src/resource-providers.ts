/** Resource providers: whoever reports resources as a full set. The name is unique in the workspace. */
import { Schema } from "effect"
import { Config, DateTime, Metadata, optional, PageQuery, page, Text } from "./common.ts"
import { operation, W } from "./operation.ts"
import { Resource } from "./resource.ts"

export const ResourceProvider = Schema.Struct({
  id: Text,
  workspaceId: Text,
  name: Text,
  metadata: Metadata,
  createdAt: DateTime,
})
export type ResourceProvider = typeof ResourceProvider.Type

const SetResource = Schema.Struct({
  identifier: Text,
  name: Text,
  kind: Text,
  version: Text,
  config: optional(Config),
  metadata: optional(Metadata),
  /** Accepted and ignored; the command line sends the year 1. */
  createdAt: optional(Text),
})
export type SetResource = typeof SetResource.Type
const tag = "resource providers"

export const upsertProvider = operation({
  id: "requestResourceProviderUpsert",
  summary: "Create a provider, or rename the one with this id",
  tag,
  method: "PUT",
  path: `${W}/resource-providers`,
  body: Schema.Struct({ id: optional(Text), name: Text, metadata: optional(Metadata) }),
  status: 202,
  success: ResourceProvider,
  errors: [409],
})
export const getProvider = operation({
  id: "getResourceProviderByName",
  summary: "A provider by its name",
  tag,
  method: "GET",
  path: `${W}/resource-providers/name/{name}`,
  success: ResourceProvider,
  errors: [404],
})
export const deleteProvider = operation({
  id: "deleteResourceProviderByName",
  summary: "Delete a provider that owns no resources",
  tag,
  method: "DELETE",
  path: `${W}/resource-providers/name/{name}`,
  status: 202,
  success: ResourceProvider,
  errors: [404],
})
export const listProviderResources = operation({
  id: "getResourceProviderResources",
  summary: "A provider's resources, in the order of its last set",
  tag,
  method: "GET",
  path: `${W}/resource-providers/name/{name}/resources`,
  query: PageQuery,
  success: page(Resource),
  errors: [404],
})
export const setProviderResources = operation({
  id: "setResourceProviderResources",
  summary: "Replace everything the provider owns by the given set",
  tag,
  method: "PUT",
  path: `${W}/resource-providers/{providerId}/set`,
  body: Schema.Struct({ resources: Schema.Array(SetResource) }),
  status: 202,
  success: Schema.Struct({ ok: Schema.Boolean, method: Text }),
  errors: [404],
})
