/** Release targets: one deployment in one environment on one resource, what runs there, and why nothing moves. */
import { MetricSpec } from "@sluice/domain/verification"
import { Schema } from "effect"
import {
  Accepted,
  CelPageQuery,
  Config,
  CursorQuery,
  DateTime,
  Metadata,
  optional,
  PageQuery,
  page,
  Reason,
  Text,
} from "./common.ts"
import { Deployment } from "./deployment.ts"
import { Environment } from "./environment.ts"
import { Job } from "./job.ts"
import { operation, W } from "./operation.ts"
import { Release, ReleaseTarget } from "./release.ts"
import { System } from "./system.ts"

const Measurement = Schema.Struct({
  status: Schema.Literals(["passed", "failed", "inconclusive"]),
  message: optional(Text),
  data: optional(Config),
  measuredAt: DateTime,
  /** Set when the provider could not be asked; such a measurement reads as inconclusive. */
  sluice: optional(Schema.Struct({ providerError: Schema.Boolean })),
})
const Verification = Schema.Struct({
  id: Text,
  jobId: Text,
  status: Schema.Literals(["running", "passed", "failed"]),
  message: optional(Text),
  metrics: Schema.Array(Schema.Struct({ ...MetricSpec.fields, measurements: Schema.Array(Measurement) })),
  createdAt: DateTime,
})
export type Verification = typeof Verification.Type

const Quarantined = Schema.Struct({ versionId: Text, reason: Text, at: DateTime })
export const TargetState = Schema.Struct({
  desiredRelease: optional(Release),
  currentRelease: optional(Release),
  latestJob: optional(Schema.Struct({ job: Job, verifications: Schema.Array(Verification) })),
  sluice: optional(
    Schema.Struct({
      phase: Text,
      blocked: optional(Schema.Unknown),
      hold: optional(Schema.Unknown),
      lastKnownGoodReleaseId: optional(Text),
      quarantined: Schema.Array(Quarantined),
    }),
  ),
})
export type TargetState = typeof TargetState.Type

/** One recorded answer: what held the target from then until the next one. */
const Answer = Schema.Struct({
  sequence: Schema.Int,
  at: DateTime,
  phase: Text,
  desiredVersionId: optional(Text),
  answer: Schema.Unknown,
})
const VersionRecord = Schema.Struct({
  versionId: Text,
  tag: optional(Text),
  verification: Text,
  startedAt: optional(DateTime),
  verifiedAt: optional(DateTime),
  settledAt: optional(DateTime),
  failedAt: optional(DateTime),
  quarantinedAt: optional(DateTime),
  quarantineReason: optional(Text),
})
const Act = Schema.Struct({ reason: Reason })

const one = `${W}/release-targets/{releaseTargetKey}` as const
const tag = "release targets"

export const listTargetStates = operation({
  id: "getReleaseTargetStates",
  summary: "The release targets of one deployment in one environment, with their states",
  tag,
  method: "POST",
  path: `${W}/release-targets/state`,
  query: PageQuery,
  body: Schema.Struct({ deploymentId: Text, environmentId: Text }),
  success: page(Schema.Struct({ releaseTarget: ReleaseTarget, state: TargetState })),
})
export const previewTargets = operation({
  id: "previewReleaseTargetsForResource",
  summary: "The release targets a resource would get, were it there",
  tag,
  method: "POST",
  path: `${W}/release-targets/resource-preview`,
  query: PageQuery,
  body: Schema.Struct({
    identifier: Text,
    name: Text,
    kind: Text,
    version: Text,
    config: Config,
    metadata: Metadata,
  }),
  success: page(Schema.Struct({ system: System, deployment: Deployment, environment: Environment })),
})
export const getDesiredRelease = operation({
  id: "getReleaseTargetDesiredRelease",
  summary: "What should run; 404 only when there never was anything",
  tag,
  method: "GET",
  path: `${one}/desired-release`,
  success: Schema.Struct({ desiredRelease: Release }),
  errors: [404],
})
export const listTargetJobs = operation({
  id: "getJobsForReleaseTarget",
  summary: "A target's jobs, newest first",
  tag,
  method: "GET",
  path: `${one}/jobs`,
  query: CelPageQuery,
  success: page(Job),
})
export const getTargetState = operation({
  id: "getReleaseTargetState",
  summary: "A target's state; an unknown target has an empty one",
  tag,
  method: "GET",
  path: `${one}/state`,
  query: Schema.Struct({ bypassCache: optional(Text) }),
  success: TargetState,
})
export const getRelease = operation({
  id: "getRelease",
  summary: "A release",
  tag,
  method: "GET",
  path: `${W}/releases/{releaseId}`,
  success: Release,
  errors: [404],
})
export const getWhy = operation({
  id: "getReleaseTargetWhy",
  summary: "Why the target is where it is, now or at a moment; with `versionId` the last answer that speaks of it",
  tag,
  method: "GET",
  path: `${one}/why`,
  query: Schema.Struct({ versionId: optional(Text), at: optional(Text) }),
  success: Answer,
  errors: [404],
})
export const getHistory = operation({
  id: "getReleaseTargetHistory",
  summary: "Every recorded answer, newest first, and what each version came to here",
  tag,
  method: "GET",
  path: `${one}/history`,
  query: CursorQuery,
  success: Schema.Struct({
    items: Schema.Array(Answer),
    nextCursor: optional(Text),
    versions: Schema.Array(VersionRecord),
  }),
})
export const redeployTarget = operation({
  id: "redeployReleaseTarget",
  summary: "Run the desired release once more",
  tag,
  method: "POST",
  path: `${one}/redeploy`,
  body: Act,
  status: 202,
  success: Accepted,
  errors: [404, 409],
})
export const releaseQuarantine = operation({
  id: "releaseReleaseTargetQuarantine",
  summary: "Let a quarantined version be tried again; without `versionId` every one",
  tag,
  method: "POST",
  path: `${one}/release-quarantine`,
  body: Schema.Struct({ reason: Reason, versionId: optional(Text) }),
  status: 202,
  success: Accepted,
  errors: [404, 409],
})
