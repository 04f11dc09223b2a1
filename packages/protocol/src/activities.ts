/** Work for activities: at-least-once, idempotent by key. The payload names what to do; the result goes through a door. */

import { JsonObject } from "@sluice/domain/json"
import { MetricSpec } from "@sluice/domain/verification"
import { Schema } from "effect"

/** `policy`: look the subjects up in the wait index and send `Reconcile` to exactly those targets. */
export const WakeWaiting = Schema.Struct({
  subjects: Schema.Array(Schema.String),
  reason: Schema.String,
})
export type WakeWaiting = typeof WakeWaiting.Type

/** `agent-bridges`: one call to the agent that runs a job. The bridge reads agent and job rows itself (secrets stay there). */
export const CallAgent = Schema.Struct({
  jobSetId: Schema.String,
  jobId: Schema.String,
  jobAgentId: Schema.String,
  agentType: Schema.String,
  attempt: Schema.Int,
  call: Schema.Literals(["dispatch", "probe", "cancel"]),
  /** Epoch milliseconds: after this the work is worthless. */
  deadline: Schema.Int,
  reason: Schema.optionalKey(Schema.String),
})
export type CallAgent = typeof CallAgent.Type

/** `verifier`: one probe of one metric. */
export const ProbeMetric = Schema.Struct({
  verificationId: Schema.String,
  metric: Schema.Int,
  round: Schema.Int,
  spec: MetricSpec,
  context: JsonObject,
})
export type ProbeMetric = typeof ProbeMetric.Type

export const activities = {
  "wake-waiting": WakeWaiting,
  "call-agent": CallAgent,
  "probe-metric": ProbeMetric,
} as const
export type ActivityName = keyof typeof activities
export const activityNames = Object.keys(activities) as ReadonlyArray<ActivityName>

/** What lies on a work queue. `key` is the idempotency key. */
export const ActivityWork = Schema.Struct({
  id: Schema.String,
  schemaVersion: Schema.Int,
  name: Schema.Literals(Object.keys(activities) as [ActivityName, ...ActivityName[]]),
  workspaceId: Schema.String,
  key: Schema.String,
  correlationId: Schema.String,
  causationId: Schema.optionalKey(Schema.String),
  sentAt: Schema.Int,
  payload: Schema.Unknown,
})
export type ActivityWork = typeof ActivityWork.Type
