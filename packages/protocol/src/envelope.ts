/**
 * What every message between actors looks like on the wire. `source` and `number` are the channel: numbers run per
 * (source, destination partition) and are drawn in the source's own commit, so the destination can tell a repeat from a
 * gap. `id` is derived from them and only saves work (the broker's duplicate window).
 */
import { Schema } from "effect"

export const actorKinds = ["planner", "target", "job", "verification", "event"] as const
export type ActorKindName = (typeof actorKinds)[number]

/** A door is a source without a mailbox: what comes from outside is committed there and is numbered from then on. */
export const sourceKinds = [...actorKinds, "door"] as const
export type SourceKind = (typeof sourceKinds)[number]

export const Source = Schema.Struct({
  kind: Schema.Literals(sourceKinds),
  partition: Schema.Int,
  /** Grows when the database is restored, so that messages from a lost future can be told apart. */
  incarnation: Schema.Int,
})
export type Source = typeof Source.Type

export const Envelope = Schema.Struct({
  id: Schema.String,
  schemaVersion: Schema.Int,
  source: Source,
  number: Schema.Int,
  workspaceId: Schema.String,
  kind: Schema.Literals(actorKinds),
  partition: Schema.Int,
  key: Schema.String,
  type: Schema.String,
  /** Database time of the commit that sent it, epoch milliseconds. */
  sentAt: Schema.Int,
  /** Id of the message that caused this one; absent at a door. */
  causationId: Schema.optionalKey(Schema.String),
  correlationId: Schema.String,
  /** The sender waits for a receipt under this message's id. */
  receipt: Schema.optionalKey(Schema.Boolean),
  body: Schema.Unknown,
})
export type Envelope = typeof Envelope.Type

export const messageSchemaVersion = 1

/** A message before its channel number is drawn: what `react` and doors produce. */
export interface Outgoing {
  readonly kind: ActorKindName
  readonly workspaceId: string
  readonly key: string
  readonly type: string
  readonly body: unknown
  readonly receipt?: boolean
}
