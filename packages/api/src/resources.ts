/** Resources: where things run. An identifier may hold slashes, colons and spaces; it is decoded exactly once. */
import { Schema } from "effect"
import { Accepted, CelPageQuery, Config, Metadata, optional, PageQuery, page, pageLimitMax, Text } from "./common.ts"
import { Deployment } from "./deployment.ts"
import { operation, W } from "./operation.ts"
import { ReleaseTarget } from "./release.ts"
import { Resource } from "./resource.ts"

const identified = `${W}/resources/identifier/{identifier}` as const
const Texts = Schema.Array(Text)
const Filters = Schema.Struct({
  identifiers: optional(Texts),
  kinds: optional(Texts),
  versions: optional(Texts),
  providerIds: optional(Texts),
  metadata: optional(Metadata),
  /** Case-insensitive part of the name or the identifier. */
  query: optional(Text),
  sortBy: optional(Schema.Literals(["createdAt", "updatedAt", "name", "kind"])),
  order: optional(Schema.Literals(["asc", "desc"])),
  limit: optional(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: pageLimitMax }))),
  offset: optional(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))),
})
export type ResourceFilters = typeof Filters.Type
const tag = "resources"

export const listResources = operation({
  id: "getAllResources",
  summary: "Resources; `cel` filters over `resource`",
  tag,
  method: "GET",
  path: `${W}/resources`,
  query: CelPageQuery,
  success: page(Resource),
})
export const searchResources = operation({
  id: "searchResources",
  summary: "Resources that pass every filter given",
  tag,
  method: "POST",
  path: `${W}/resources/search`,
  body: Filters,
  success: page(Resource),
})
export const getResource = operation({
  id: "getResourceByIdentifier",
  summary: "A resource",
  tag,
  method: "GET",
  path: identified,
  success: Resource,
  errors: [404],
})
export const upsertResource = operation({
  id: "upsertResourceByIdentifier",
  summary: "Create or replace a resource",
  tag,
  method: "PUT",
  path: identified,
  body: Schema.Struct({
    name: Text,
    kind: Text,
    version: Text,
    config: optional(Config),
    metadata: optional(Metadata),
    /** Absent: the variables stay as they are. Given: they are replaced as a whole. */
    variables: optional(Config),
  }),
  status: 202,
  success: Accepted,
})
export const deleteResource = operation({
  id: "requestResourceDeletionByIdentifier",
  summary: "Delete a resource (202 for Go's default user agent, which accepts nothing else, else 200)",
  tag,
  method: "DELETE",
  path: identified,
  success: Accepted,
  errors: [404],
})
export const listResourceVariables = operation({
  id: "getVariablesForResource",
  summary: "A resource's variables, by key",
  tag,
  method: "GET",
  path: `${identified}/variables`,
  query: PageQuery,
  success: page(Schema.Struct({ resourceId: Text, key: Text, value: Schema.Json })),
  errors: [404],
})
export const setResourceVariables = operation({
  id: "requestResourceVariablesUpdate",
  summary: "Replace all of a resource's variables by the given ones",
  tag,
  method: "PATCH",
  path: `${identified}/variables`,
  body: Config,
  status: 202,
  success: Accepted,
  errors: [404],
})
export const listResourceDeployments = operation({
  id: "getDeploymentsForResource",
  summary: "The deployments whose selector matches the resource, by name",
  tag,
  method: "GET",
  path: `${identified}/deployments`,
  query: PageQuery,
  success: page(Deployment),
  errors: [404],
})
export const getResourceTarget = operation({
  id: "getReleaseTargetForResourceInDeployment",
  summary: "A release target of the resource in the deployment",
  tag,
  method: "GET",
  path: `${W}/resources/{identifier}/release-targets/deployment/{deploymentId}`,
  aliases: [`${identified}/release-targets/deployment/{deploymentId}`],
  success: ReleaseTarget,
  errors: [404],
})
