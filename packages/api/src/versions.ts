/** Versions: what CI publishes. Creating is not an upsert: a known tag is a conflict that says whether it is the same. */
import { VersionStatus } from "@sluice/domain/version"
import { Schema } from "effect"
import { Accepted, Config, DateTime, Metadata, optional, page, pageQueryFields, Text } from "./common.ts"
import { operation, W } from "./operation.ts"
import { Dependencies, DeploymentVersion } from "./version.ts"

const Tag = Schema.String.check(Schema.isMinLength(1))
const Create = Schema.Struct({
  tag: Tag,
  /** Empty: the tag. */
  name: optional(Text),
  status: optional(Schema.Literals(["unspecified", "building", "ready", "failed", "rejected"])),
  config: optional(Config),
  jobAgentConfig: optional(Config),
  metadata: optional(Metadata),
  dependencies: optional(Dependencies),
  /** Accepted and ignored: a version's place in the order is when the server stored it. */
  createdAt: optional(DateTime),
})
const Update = Schema.Struct({
  tag: optional(Tag),
  name: optional(Text),
  status: optional(VersionStatus),
  config: optional(Config),
  jobAgentConfig: optional(Config),
  metadata: optional(Metadata),
  createdAt: optional(DateTime),
})
const ApprovalStatus = Schema.Literals(["approved", "rejected"])
const Approval = Schema.Struct({
  versionId: Text,
  environmentId: Text,
  userId: Text,
  status: ApprovalStatus,
  reason: optional(Text),
  createdAt: DateTime,
})
const tag = "versions"

export const listVersions = operation({
  id: "listDeploymentVersions",
  summary: "Versions of a deployment; `cel` filters over `version`",
  tag,
  method: "GET",
  path: `${W}/deployments/{deploymentId}/versions`,
  query: Schema.Struct({
    ...pageQueryFields,
    order: optional(Schema.Literals(["asc", "desc"])),
    cel: optional(Text),
  }),
  success: page(Schema.Struct({ ...DeploymentVersion.fields, dependencies: Dependencies })),
  errors: [404],
})
export const createVersion = operation({
  id: "createDeploymentVersion",
  summary: "Publish a version",
  tag,
  method: "POST",
  path: `${W}/deployments/{deploymentId}/versions`,
  body: Create,
  success: DeploymentVersion,
  errors: [404, 409],
})
export const updateVersion = operation({
  id: "requestDeploymentVersionUpdate",
  summary: "Change a version: pause, reject, release it",
  tag,
  method: "PATCH",
  path: `${W}/deploymentversions/{deploymentVersionId}`,
  aliases: [`${W}/deployment-versions/{deploymentVersionId}`],
  body: Update,
  status: 202,
  success: DeploymentVersion,
  errors: [404, 409],
})
const dependencies = `${W}/deployment-versions/{deploymentVersionId}/dependencies` as const
export const listDependencies = operation({
  id: "listDeploymentVersionDependencies",
  summary: "What a version needs of other deployments: a bare array, by deployment id",
  tag,
  method: "GET",
  path: dependencies,
  success: Schema.Array(
    Schema.Struct({ deploymentVersionId: Text, dependencyDeploymentId: Text, versionSelector: Text }),
  ),
  errors: [404],
})
export const setDependency = operation({
  id: "requestDeploymentVersionDependencyUpsert",
  summary: "Say which versions of another deployment a version needs",
  tag,
  method: "PUT",
  path: `${dependencies}/{dependencyDeploymentId}`,
  body: Schema.Struct({ versionSelector: Text }),
  status: 202,
  success: Accepted,
  errors: [404],
})
export const removeDependency = operation({
  id: "requestDeploymentVersionDependencyDeletion",
  summary: "Drop a version's dependency",
  tag,
  method: "DELETE",
  path: `${dependencies}/{dependencyDeploymentId}`,
  status: 202,
  success: Accepted,
  errors: [404],
})
const approvals = `${W}/deployment-versions/{deploymentVersionId}/user-approval-records` as const
export const recordApproval = operation({
  id: "requestUserApprovalRecordUpsert",
  summary: "Approve or reject a version in environments, as the key's user",
  tag,
  method: "PUT",
  path: approvals,
  body: Schema.Struct({
    status: ApprovalStatus,
    /** Empty: every environment that shares a system with the deployment. */
    environmentIds: Schema.Array(Text),
    reason: optional(Text),
  }),
  status: 202,
  success: Accepted,
  errors: [404],
})
export const listApprovals = operation({
  id: "listUserApprovalRecords",
  summary: "Who approved or rejected a version, where, and why",
  tag,
  method: "GET",
  path: approvals,
  success: Schema.Struct({ items: Schema.Array(Approval) }),
  errors: [404],
})
