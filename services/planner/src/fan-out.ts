/**
 * From whom a change concerns to `Reconcile` messages, a chunk at a time. What is left after a chunk is a message to
 * oneself, behind whatever other workspaces have sent in the meantime.
 */
import { type ActorEffect, send } from "@sluice/actor/definition"
import type { Tx } from "@sluice/actor/ports"
import type { ContinueFanOut } from "@sluice/protocol/planner"
import type { Reconcile } from "@sluice/protocol/target"
import { type Concern, concernedTargets } from "@sluice/store/planning"
import { Effect } from "effect"

/** Targets told in one step: look-up and commit stay around 100 ms even behind ten thousand changed resources. */
export const fanOutChunk = 500

export interface Chunk {
  readonly keys: ReadonlyArray<string>
  /** Absent when this was the last one. */
  readonly rest?: ContinueFanOut
}

export const nextChunk = Effect.fnUntraced(function* (
  tx: Tx,
  workspaceId: string,
  concern: Concern,
  afterKey: string,
  reason: string,
) {
  const keys = yield* concernedTargets(tx, workspaceId, concern, afterKey, fanOutChunk + 1)
  const now = keys.slice(0, fanOutChunk)
  const last = now.at(-1)
  const chunk: Chunk =
    last === undefined || keys.length <= fanOutChunk
      ? { keys: now }
      : { keys: now, rest: { ...remaining(concern, last), afterKey: last, reason } }
  return chunk
})

/** Keys begin with the resource id, so resources before the last key are done with and need not travel on. */
const remaining = (concern: Concern, lastKey: string): Concern =>
  concern.resourceIds === undefined
    ? concern
    : { ...concern, resourceIds: concern.resourceIds.filter(id => id.toLowerCase() >= lastKey.slice(0, id.length)) }

export const reconcile = (workspaceId: string, key: string, reason: string): ActorEffect =>
  send({ kind: "target", workspaceId, key, type: "Reconcile", body: { reason } satisfies Reconcile })

export const continueWith = (workspaceId: string, rest: ContinueFanOut): ActorEffect =>
  send({ kind: "planner", workspaceId, key: workspaceId, type: "ContinueFanOut", body: rest })
