/** The public events of a workspace, as a stream of server-sent events that can be resumed at a sequence. */
import { JsonObject } from "@sluice/domain/json"
import { EventType } from "@sluice/protocol/event"
import { Schema } from "effect"
import { DateTime, optional, Text } from "./common.ts"
import { operation, W } from "./operation.ts"

export const PublicEvent = Schema.Struct({
  id: Text,
  sequence: Schema.Int,
  type: EventType,
  version: Schema.Int,
  at: DateTime,
  workspaceId: Text,
  subject: Text,
  actor: Text,
  causationId: optional(Text),
  correlationId: Text,
  data: JsonObject,
})
export type PublicEvent = typeof PublicEvent.Type

export const streamEvents = operation({
  id: "streamEvents",
  summary: "Server-sent events; `id` is the sequence, `Last-Event-ID` or `after` resumes, without either from now on",
  tag: "events",
  method: "GET",
  path: `${W}/events`,
  query: Schema.Struct({
    after: optional(Schema.FiniteFromString.check(Schema.isInt(), Schema.isGreaterThanOrEqualTo(0))),
  }),
})
