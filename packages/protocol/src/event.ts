/**
 * Messages to the event log: one actor per workspace, keyed by the workspace id. It draws each public event's sequence
 * under its partition row, so whoever reads by position never sees a number appear behind its back.
 */
import { JsonObject } from "@sluice/domain/json"
import { Schema } from "effect"

export const eventTypes = [
  "version.published",
  "version.refused",
  "version.updated",
  "approval.recorded",
  "target.joined",
  "target.left",
  "target.waiting",
  "target.deploying",
  "target.verifying",
  "target.confirmed",
  "target.failed",
  "target.rollingBack",
  "target.rolledBack",
  "target.held",
  "rollout.halted",
  "version.quarantined",
  "job.created",
  "job.updated",
  "job.ended",
  "verification.measured",
  "verification.concluded",
  "catalog.changed",
] as const
export const EventType = Schema.Literals(eventTypes)
export type EventType = typeof EventType.Type

export const Happened = Schema.Struct({
  type: EventType,
  /** Shape of `data`; a changed shape gets a new number. */
  version: Schema.Int,
  /** Epoch milliseconds, database time of the commit it happened in. */
  at: Schema.Int,
  /** Id of what it happened to: a release target key, a version id, a job id, … */
  subject: Schema.String,
  /** `system`, a user id or a job agent id. */
  actor: Schema.String,
  data: JsonObject,
})
export type Happened = typeof Happened.Type

export const eventMessages = { Happened } as const
