/**
 * The catalog as expressions, templates and decisions see it: plain JSON under the contract's public names. Times are
 * ISO 8601 strings, as on the wire; optional fields are absent, never null.
 */

import type { DeploymentId, EnvironmentId, JobAgentId, ResourceId, VersionId, WorkspaceId } from "./ids.ts"
import type { JsonObject, Metadata } from "./json.ts"
import type { VersionStatus } from "./version.ts"

export interface Deployment {
  readonly id: DeploymentId
  readonly name: string
  readonly slug: string
  readonly description?: string
  readonly resourceSelector?: string
  readonly jobAgentSelector: string
  readonly jobAgentConfig: JsonObject
  readonly metadata: Metadata
}

export interface Environment {
  readonly id: EnvironmentId
  readonly workspaceId: WorkspaceId
  readonly name: string
  readonly description?: string
  readonly resourceSelector?: string
  readonly metadata: Metadata
  readonly createdAt: string
}

export interface Resource {
  readonly id: ResourceId
  readonly workspaceId: WorkspaceId
  readonly identifier: string
  readonly name: string
  readonly kind: string
  readonly version: string
  readonly config: JsonObject
  readonly metadata: Metadata
  readonly providerId?: string
  readonly createdAt: string
  readonly updatedAt?: string
}

export interface Version {
  readonly id: VersionId
  readonly deploymentId: DeploymentId
  readonly tag: string
  readonly name: string
  readonly status: VersionStatus
  readonly message?: string
  readonly config: JsonObject
  readonly jobAgentConfig: JsonObject
  readonly metadata: Metadata
  readonly createdAt: string
}

export interface JobAgent {
  readonly id: JobAgentId
  readonly name: string
  readonly type: string
  readonly config: JsonObject
  readonly metadata: Metadata
}
