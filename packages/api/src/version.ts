/** A version as it is answered. */
import { VersionStatus } from "@sluice/domain/version"
import { Schema } from "effect"
import { Config, DateTime, Metadata, optional, Text } from "./common.ts"

export const Dependencies = Schema.Record(Schema.String, Schema.Struct({ versionSelector: Text }))

export const DeploymentVersion = Schema.Struct({
  id: Text,
  deploymentId: Text,
  tag: Text,
  name: Text,
  status: VersionStatus,
  message: optional(Text),
  config: Config,
  jobAgentConfig: Config,
  metadata: Metadata,
  createdAt: DateTime,
})
export type DeploymentVersion = typeof DeploymentVersion.Type
