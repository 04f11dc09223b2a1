/** What comes in over NATS from outside: a version from CI, a report from an agent, and the answers they get. */

import { JobStatus } from "@sluice/domain/job-status"
import { JsonObject, Metadata } from "@sluice/domain/json"
import { VersionStatus } from "@sluice/domain/version"
import { Schema } from "effect"

/** On `subjects(ns).intake(workspace)`, workspace by id or slug. */
export const VersionMessage = Schema.Struct({
  schemaVersion: Schema.Literal(1),
  /** Deployment id, or its name within the workspace. */
  deployment: Schema.String,
  tag: Schema.String.check(Schema.isMinLength(1)),
  name: Schema.optionalKey(Schema.String),
  status: Schema.optionalKey(VersionStatus),
  config: Schema.optionalKey(JsonObject),
  jobAgentConfig: Schema.optionalKey(JsonObject),
  metadata: Schema.optionalKey(Metadata),
  dependencies: Schema.optionalKey(Schema.Record(Schema.String, Schema.Struct({ versionSelector: Schema.String }))),
})
export type VersionMessage = typeof VersionMessage.Type

/** A publisher that wants the verdict names an inbox here; only `_INBOX.` subjects are answered. */
export const replyToHeader = "Sluice-Reply-To"

export const VersionAnswer = Schema.Struct({
  versionId: Schema.optionalKey(Schema.String),
  tag: Schema.optionalKey(Schema.String),
  status: Schema.Literals(["created", "unchanged", "refused"]),
  code: Schema.optionalKey(Schema.String),
  message: Schema.optionalKey(Schema.String),
})
export type VersionAnswer = typeof VersionAnswer.Type

/** On `subjects(ns).agentReport(…)`. */
export const AgentReport = Schema.Struct({
  jobId: Schema.String,
  attempt: Schema.Int,
  status: JobStatus,
  message: Schema.optionalKey(Schema.String),
  externalId: Schema.optionalKey(Schema.String),
  links: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  progress: Schema.optionalKey(Schema.Finite),
  outputs: Schema.optionalKey(JsonObject),
  occurredAt: Schema.String,
})
export type AgentReport = typeof AgentReport.Type

/** On `subjects(ns).agentWork(…)`: what a NATS agent pulls. */
export const AgentWork = Schema.Struct({
  schemaVersion: Schema.Literal(1),
  jobId: Schema.String,
  attempt: Schema.Int,
  workspaceId: Schema.String,
  jobAgentId: Schema.String,
  /** ISO 8601. */
  deadline: Schema.String,
  /** Where to report. */
  reportSubject: Schema.String,
  jobAgentConfig: JsonObject,
  dispatchContext: JsonObject,
})
export type AgentWork = typeof AgentWork.Type
