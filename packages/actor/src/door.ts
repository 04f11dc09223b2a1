/**
 * A door: where what comes from outside is committed once and becomes numbered messages. The caller's own rows and the
 * messages are written in one transaction; the numbers are drawn last, under the door partition's row, so that callers
 * queue there as briefly as possible.
 */
import type { Outgoing } from "@sluice/protocol/envelope"
import { Context, type Effect } from "effect"
import type { StorageError, Tx } from "./ports.ts"

export interface DoorMessage extends Outgoing {
  /** Carried on by everything this message causes; a fresh one when absent. */
  readonly correlationId?: string
  readonly causationId?: string
}

export class Door extends Context.Service<
  Door,
  {
    /**
     * Runs `work` in one READ COMMITTED transaction of the workspace, then numbers and stores the messages it answered,
     * commits, and hints the relay. Returns what `work` returned beside the ids of the messages, in order. Repeats on
     * serialization conflicts. Durable when it succeeds.
     */
    readonly commit: <A, E>(
      workspaceId: string,
      work: (tx: Tx) => Effect.Effect<{ readonly value: A; readonly messages: ReadonlyArray<DoorMessage> }, E>,
    ) => Effect.Effect<{ readonly value: A; readonly messageIds: ReadonlyArray<string> }, E | StorageError>
    /** Messages alone; those of callers at the same time share a commit. Durable when it succeeds. */
    readonly post: (workspaceId: string, messages: ReadonlyArray<DoorMessage>) => Effect.Effect<void, StorageError>
    /**
     * The result of one piece of activity work: its messages, once. A second delivery of the same work that comes through
     * later changes nothing.
     */
    readonly complete: (
      workspaceId: string,
      workId: string,
      messages: ReadonlyArray<DoorMessage>,
    ) => Effect.Effect<void, StorageError>
    /**
     * Like `commit` with one message that wants a receipt: waits for its verdict up to `wait` ms. `pending` when the bound
     * passed (the message is durable and will be handled).
     */
    readonly ask: <A, E>(
      workspaceId: string,
      wait: number,
      work: (tx: Tx) => Effect.Effect<{ readonly value: A; readonly message: DoorMessage }, E>,
    ) => Effect.Effect<{ readonly value: A; readonly messageId: string; readonly receipt: Receipt }, E | StorageError>
  }
>()("@sluice/actor/Door") {}

export type Receipt =
  | { readonly _tag: "Applied" }
  | { readonly _tag: "Refused"; readonly reason: string }
  | { readonly _tag: "Pending" }
