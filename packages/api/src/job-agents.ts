/** Job agents: what executes deployments, and the queue a pull agent works from. */
import { JobStatus } from "@sluice/domain/job-status"
import { Schema } from "effect"
import { Accepted, Config, Metadata, optional, PageQuery, page, pageQueryFields, Text } from "./common.ts"
import { Job } from "./job.ts"
import { operation, W } from "./operation.ts"

export const JobAgent = Schema.Struct({
  id: Text,
  workspaceId: Text,
  name: Text,
  type: Text,
  config: Config,
  metadata: Metadata,
})
export type JobAgent = typeof JobAgent.Type
const one = `${W}/job-agents/{jobAgentId}` as const
const tag = "job agents"

export const listJobAgents = operation({
  id: "listJobAgents",
  summary: "Job agents",
  tag,
  method: "GET",
  path: `${W}/job-agents`,
  query: PageQuery,
  success: page(JobAgent),
})
export const getJobAgent = operation({
  id: "getJobAgent",
  summary: "A job agent",
  tag,
  method: "GET",
  path: one,
  success: JobAgent,
  errors: [404],
})
export const upsertJobAgent = operation({
  id: "requestJobAgentUpsert",
  summary: "Create or replace a job agent",
  tag,
  method: "PUT",
  path: one,
  body: Schema.Struct({ name: Text, type: Text, config: Config, metadata: optional(Metadata) }),
  status: 202,
  success: Accepted,
  errors: [409],
})
export const deleteJobAgent = operation({
  id: "requestJobAgentDeletion",
  summary: "Delete a job agent; its jobs stay, without an agent",
  tag,
  method: "DELETE",
  path: one,
  status: 202,
  success: Accepted,
  errors: [404],
})
export const listAgentJobs = operation({
  id: "listJobAgentJobs",
  summary: "An agent's jobs, newest first; asking takes nothing",
  tag,
  method: "GET",
  path: `${one}/jobs`,
  query: Schema.Struct({
    ...pageQueryFields,
    status: optional(JobStatus),
    includeDispatchContext: optional(Schema.Literals(["true", "false"])),
  }),
  success: page(Job),
  errors: [404],
})
export const claimJob = operation({
  id: "claimJob",
  summary: "Take a queued job: exactly one of many callers gets it",
  tag,
  method: "POST",
  path: `${one}/jobs/{jobId}/claim`,
  success: Job,
  errors: [404, 409],
})
