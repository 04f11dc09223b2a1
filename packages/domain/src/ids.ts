/**
 * Identifiers. Every id is a lower-case UUID string carrying a brand, so that a deployment id cannot be passed where an
 * environment id is meant. A release target is named by its key: three UUIDs joined by dashes, read by position because
 * UUIDs contain dashes themselves.
 */
import { Schema } from "effect"

const uuid = Schema.String.check(
  Schema.isPattern(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i, {
    message: "must be a UUID",
  }),
)

export const WorkspaceId = uuid.pipe(Schema.brand("WorkspaceId"))
export type WorkspaceId = typeof WorkspaceId.Type
export const UserId = uuid.pipe(Schema.brand("UserId"))
export type UserId = typeof UserId.Type
export const SystemId = uuid.pipe(Schema.brand("SystemId"))
export type SystemId = typeof SystemId.Type
export const DeploymentId = uuid.pipe(Schema.brand("DeploymentId"))
export type DeploymentId = typeof DeploymentId.Type
export const EnvironmentId = uuid.pipe(Schema.brand("EnvironmentId"))
export type EnvironmentId = typeof EnvironmentId.Type
export const ResourceId = uuid.pipe(Schema.brand("ResourceId"))
export type ResourceId = typeof ResourceId.Type
export const ResourceProviderId = uuid.pipe(Schema.brand("ResourceProviderId"))
export type ResourceProviderId = typeof ResourceProviderId.Type
export const VersionId = uuid.pipe(Schema.brand("VersionId"))
export type VersionId = typeof VersionId.Type
export const ReleaseId = uuid.pipe(Schema.brand("ReleaseId"))
export type ReleaseId = typeof ReleaseId.Type
export const JobSetId = uuid.pipe(Schema.brand("JobSetId"))
export type JobSetId = typeof JobSetId.Type
export const JobId = uuid.pipe(Schema.brand("JobId"))
export type JobId = typeof JobId.Type
export const JobAgentId = uuid.pipe(Schema.brand("JobAgentId"))
export type JobAgentId = typeof JobAgentId.Type
export const PolicyId = uuid.pipe(Schema.brand("PolicyId"))
export type PolicyId = typeof PolicyId.Type
/** Rule ids come from clients too (Terraform) and are kept verbatim, so they are not required to be UUIDs. */
export const RuleId = Schema.String.pipe(Schema.brand("RuleId"))
export type RuleId = typeof RuleId.Type
export const VerificationId = uuid.pipe(Schema.brand("VerificationId"))
export type VerificationId = typeof VerificationId.Type

/** `<resource id>-<environment id>-<deployment id>`: 110 characters, dashes at index 36 and 73. */
export const ReleaseTargetKey = Schema.String.check(
  Schema.isPattern(/^[0-9a-f-]{36}-[0-9a-f-]{36}-[0-9a-f-]{36}$/i, { message: "must be a release target key" }),
).pipe(Schema.brand("ReleaseTargetKey"))
export type ReleaseTargetKey = typeof ReleaseTargetKey.Type

export interface ReleaseTargetParts {
  readonly resourceId: ResourceId
  readonly environmentId: EnvironmentId
  readonly deploymentId: DeploymentId
}

export const releaseTargetKey = (parts: ReleaseTargetParts): ReleaseTargetKey =>
  `${parts.resourceId}-${parts.environmentId}-${parts.deploymentId}` as ReleaseTargetKey

const isUuid = Schema.is(uuid)

/** Reads a key by position; `undefined` when the length, a separator or one of the ids is wrong. */
export const parseReleaseTargetKey = (key: string): ReleaseTargetParts | undefined => {
  if (key.length !== 110 || key[36] !== "-" || key[73] !== "-") return undefined
  const [resourceId, environmentId, deploymentId] = [key.slice(0, 36), key.slice(37, 73), key.slice(74)]
  if (!isUuid(resourceId) || !isUuid(environmentId) || !isUuid(deploymentId)) return undefined
  return {
    resourceId: resourceId as ResourceId,
    environmentId: environmentId as EnvironmentId,
    deploymentId: deploymentId as DeploymentId,
  }
}
