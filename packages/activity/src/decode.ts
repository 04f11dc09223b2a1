/**
 * From the bytes on a work queue to a work item. Whose fault decides: what nobody can read will never be readable, what a
 * newer version wrote is for a newer process.
 */

import type { Work } from "@sluice/actor/ports"
import { ActivityWork } from "@sluice/protocol/activities"
import { messageSchemaVersion } from "@sluice/protocol/envelope"
import { Option, Result, Schema } from "effect"
import type { ActivityKind, WorkItem } from "./definition.ts"

export type Decoded<Payload> =
  | { readonly _tag: "Item"; readonly item: WorkItem<Payload> }
  | { readonly _tag: "Newer"; readonly schemaVersion: number }
  /** `frame` when only the payload is strange. */
  | { readonly _tag: "Unreadable"; readonly reason: string; readonly frame?: Pick<ActivityWork, "id" | "workspaceId"> }

type PayloadCodec<Payload> = ActivityKind<Payload, never, never, never, never>["payload"]

export const decodeWork = <Payload>(payload: PayloadCodec<Payload>, work: Work): Decoded<Payload> => {
  const text = new TextDecoder().decode(work.data)
  // The version is looked at first: a newer shape need not be one that we can read.
  const version = Option.getOrUndefined(readVersion(text))?.schemaVersion
  if (version !== undefined && version > messageSchemaVersion) return { _tag: "Newer", schemaVersion: version }
  const read = readWork(text)
  if (Result.isFailure(read)) return { _tag: "Unreadable", reason: read.failure.message }
  const { id, key, workspaceId, correlationId } = read.success
  const content = Schema.decodeUnknownResult(payload)(read.success.payload)
  if (Result.isFailure(content)) {
    return { _tag: "Unreadable", reason: content.failure.message, frame: { id, workspaceId } }
  }
  return {
    _tag: "Item",
    item: { id, key, workspaceId, correlationId, delivery: work.deliveries, payload: content.success },
  }
}

const readVersion = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Struct({ schemaVersion: Schema.Int })))
const readWork = Schema.decodeUnknownResult(Schema.fromJsonString(ActivityWork))
