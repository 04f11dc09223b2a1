/** Jobs, releases and verifications as the contract answers them; what it does not know sits under `sluice`. */
import type { Job } from "@sluice/api/job"
import type { Release } from "@sluice/api/release"
import type { Verification } from "@sluice/api/release-targets"
import type { JobRow } from "@sluice/store/jobs-read"
import type { MeasurementRow, ReleaseRow, VerificationRow } from "@sluice/store/release-targets-read"
import type { VersionRow } from "@sluice/store/versions"
import { isoTime, present, renderVersion } from "./render.ts"

const timeOf = (milliseconds: number | null): string | null => (milliseconds === null ? null : isoTime(milliseconds))

export const renderJob = (row: JobRow, options: { readonly withContext: boolean }): Job => ({
  id: row.id,
  releaseId: row.releaseId,
  jobAgentId: row.jobAgentId ?? "",
  jobAgentConfig: row.jobAgentConfig,
  status: row.status,
  metadata: row.metadata,
  createdAt: isoTime(row.createdAt),
  updatedAt: isoTime(row.updatedAt),
  ...present({
    message: row.message,
    externalId: row.externalId,
    startedAt: timeOf(row.startedAt),
    completedAt: timeOf(row.completedAt),
    dispatchContext: options.withContext && Object.keys(row.dispatchContext).length > 0 ? row.dispatchContext : null,
  }),
  sluice: {
    attempt: row.attempt,
    try: row.try,
    ignoredReports: row.ignoredReports,
    ...present({ deadline: timeOf(row.deadline), reason: row.reason, outputs: row.outputs }),
  },
})

export const renderRelease = (row: ReleaseRow, version: VersionRow): Release => ({
  id: row.id,
  createdAt: isoTime(row.createdAt),
  releaseTarget: {
    resourceId: row.resourceId,
    environmentId: row.environmentId,
    deploymentId: row.deploymentId,
  },
  version: renderVersion(version),
  variables: row.variables,
  encryptedVariables: [],
})

export const renderVerification = (row: VerificationRow, jobId: string): Verification => ({
  id: row.id,
  jobId,
  status: row.status,
  createdAt: isoTime(row.createdAt),
  metrics: row.metrics.map((spec, index) => ({
    ...spec,
    measurements: row.measurements.filter(each => each.metric === index).map(renderMeasurement),
  })),
  ...present({ message: row.message }),
})

/** The contract knows no provider error: such a measurement reads as inconclusive and says so on the side. */
const renderMeasurement = (row: MeasurementRow): Verification["metrics"][number]["measurements"][number] => ({
  status: row.status === "error" ? "inconclusive" : row.status,
  measuredAt: isoTime(row.measuredAt),
  ...present({ message: row.message, data: row.data }),
  ...(row.status === "error" ? { sluice: { providerError: true } } : {}),
})
