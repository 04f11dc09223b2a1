/** A release as it is answered: a version on a release target. */
import { Schema } from "effect"
import { Config, DateTime, Text } from "./common.ts"
import { DeploymentVersion } from "./version.ts"

export const ReleaseTarget = Schema.Struct({ resourceId: Text, environmentId: Text, deploymentId: Text })
export type ReleaseTarget = typeof ReleaseTarget.Type

export const Release = Schema.Struct({
  id: Text,
  createdAt: DateTime,
  releaseTarget: ReleaseTarget,
  version: DeploymentVersion,
  variables: Config,
  encryptedVariables: Schema.Array(Text),
})
export type Release = typeof Release.Type
