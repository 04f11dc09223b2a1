/**
 * One thing a batch decides on: a message of the inbox, or a timer that is due. Both go through the same loop; this file
 * gives them one shape and decodes message bodies by the catalogue.
 */
import { messages as catalogue } from "@sluice/protocol/catalogue"
import type { ActorKindName } from "@sluice/protocol/envelope"
import { Exit, Schema } from "effect"
import { derivedId } from "./ids.ts"
import type { Received } from "./inbox.ts"
import type { DueTimer, JournalRow } from "./partition-store.ts"

export interface BatchInput {
  readonly key: string
  readonly workspaceId: string
  /** Unique within the installation; names the input in journal, receipts and derived ids. */
  readonly id: string
  readonly type: string
  readonly body: unknown
  readonly correlationId: string
  readonly causationId?: string
  readonly receipt: boolean
  readonly received?: Received
  readonly timer?: DueTimer
}

export const inputOfMessage = (received: Received): BatchInput => {
  const { envelope } = received
  return {
    key: envelope.key,
    workspaceId: envelope.workspaceId,
    id: envelope.id,
    type: envelope.type,
    body: envelope.body,
    correlationId: envelope.correlationId,
    causationId: envelope.id,
    receipt: envelope.receipt ?? false,
    received,
  }
}

export const inputOfTimer = (kind: ActorKindName, timer: DueTimer): BatchInput => {
  const id = `timer-${kind}-${timer.key}-${timer.name}-${timer.dueAt}`
  return {
    key: timer.key,
    workspaceId: timer.workspaceId,
    id,
    type: `timer:${timer.name}`,
    body: timer.payload,
    correlationId: derivedId(timer.dueAt, id),
    causationId: id,
    receipt: false,
    timer,
  }
}

type Decoder = (body: unknown) => Exit.Exit<unknown, { readonly message: string }>
const decoders = new Map<string, Decoder>()
for (const [kind, family] of Object.entries(catalogue)) {
  for (const [type, schema] of Object.entries(family)) {
    decoders.set(`${kind}.${type}`, Schema.decodeUnknownExit(schema as unknown as Schema.Codec<unknown>) as Decoder)
  }
}

export type Decoded =
  | { readonly _tag: "Decoded"; readonly value: unknown }
  | { readonly _tag: "Bad"; readonly reason: string }

/** The input as an actor sees it, or why it cannot be read. */
export const decodeInput = (kind: ActorKindName, input: BatchInput): Decoded => {
  if (input.timer !== undefined) {
    return { _tag: "Decoded", value: { _tag: "Timer", name: input.timer.name, payload: input.body } }
  }
  const decode = decoders.get(`${kind}.${input.type}`)
  if (decode === undefined) return { _tag: "Bad", reason: `unknown message type "${input.type}"` }
  const exit = decode(input.body)
  if (Exit.isSuccess(exit)) {
    return {
      _tag: "Decoded",
      value: { _tag: "Message", id: input.id, message: { type: input.type, body: exit.value } },
    }
  }
  return { _tag: "Bad", reason: `the message does not decode: ${String(exit.cause).slice(0, 500)}` }
}

export const journalRow = (
  input: BatchInput,
  sequence: number,
  outcome: JournalRow["outcome"],
  more: { readonly reason?: string; readonly events?: ReadonlyArray<unknown> } = {},
): JournalRow => ({
  sequence,
  workspaceId: input.workspaceId,
  key: input.key,
  messageId: input.id,
  ...(input.received === undefined
    ? {}
    : { channel: { ...input.received.envelope.source, number: input.received.envelope.number } }),
  type: input.type,
  message: input.body,
  outcome,
  ...(more.reason === undefined ? {} : { reason: more.reason }),
  events: more.events ?? [],
})
