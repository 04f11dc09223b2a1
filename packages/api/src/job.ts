/** A job as it is answered. What the contract does not know sits under `sluice`. */
import { JobStatus } from "@sluice/domain/job-status"
import { Schema } from "effect"
import { Config, DateTime, Metadata, optional, Text } from "./common.ts"
import { Deployment } from "./deployment.ts"
import { Environment } from "./environment.ts"
import { Release } from "./release.ts"
import { Resource } from "./resource.ts"

export const Job = Schema.Struct({
  id: Text,
  /** Empty when the job has none. */
  releaseId: Text,
  jobAgentId: Text,
  jobAgentConfig: Config,
  status: JobStatus,
  message: optional(Text),
  externalId: optional(Text),
  metadata: Metadata,
  dispatchContext: optional(Config),
  createdAt: DateTime,
  updatedAt: DateTime,
  startedAt: optional(DateTime),
  completedAt: optional(DateTime),
  sluice: Schema.Struct({
    attempt: Schema.Int,
    try: Schema.Int,
    deadline: optional(DateTime),
    reason: optional(Text),
    ignoredReports: Schema.Int,
    outputs: optional(Config),
  }),
})
export type Job = typeof Job.Type

export const JobWithRelease = Schema.Struct({
  job: Job,
  release: Release,
  deployment: optional(Deployment),
  environment: optional(Environment),
  resource: optional(Resource),
})
export type JobWithRelease = typeof JobWithRelease.Type
