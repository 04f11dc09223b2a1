/** Jobs: one hand-over of a release to one agent. A job that ended never reopens; such a report is refused. */

import { JobStatus } from "@sluice/domain/job-status"
import { JsonObject } from "@sluice/domain/json"
import { AgentReport } from "@sluice/protocol/intake"
import { Schema } from "effect"
import { Accepted, optional, PageQuery, page, Text } from "./common.ts"
import { Job, JobWithRelease } from "./job.ts"
import { operation, W } from "./operation.ts"

const tag = "jobs"
const { jobId: _, occurredAt, ...reportFields } = AgentReport.fields

export const listJobs = operation({
  id: "getJobs",
  summary: "Jobs, newest first, each with its release and, alongside, the fields of the job itself",
  tag,
  method: "GET",
  path: `${W}/jobs`,
  query: PageQuery,
  success: page(Schema.Struct({ ...Job.fields, ...JobWithRelease.fields })),
})
export const getJob = operation({
  id: "getJob",
  summary: "A job with its dispatch context",
  tag,
  method: "GET",
  path: `${W}/jobs/{jobId}`,
  success: Job,
  errors: [404],
})
export const getJobWithRelease = operation({
  id: "getJobWithRelease",
  summary: "A job with its release and what it deploys",
  tag,
  method: "GET",
  path: `${W}/jobs/{jobId}/with-release`,
  success: JobWithRelease,
  errors: [404],
})
export const setJobStatus = operation({
  id: "requestJobStatusUpsert",
  summary: "Report a job's status, as an agent or a person",
  tag,
  method: "PUT",
  path: `${W}/jobs/{jobId}/status`,
  body: Schema.Struct({
    status: JobStatus,
    message: optional(Text),
    externalId: optional(Text),
    links: optional(Schema.Record(Schema.String, Schema.String)),
    progress: optional(Schema.Finite),
    outputs: optional(JsonObject),
  }),
  status: 202,
  success: Accepted,
  errors: [404, 409],
})
export const reportJob = operation({
  id: "reportJob",
  summary: "An agent's report, with the attempt it speaks of: one for an older attempt changes nothing",
  tag,
  method: "POST",
  path: `${W}/jobs/{jobId}/report`,
  body: Schema.Struct({ ...reportFields, jobId: optional(Text), occurredAt: optional(occurredAt) }),
  status: 202,
  success: Accepted,
  errors: [404, 409],
})
