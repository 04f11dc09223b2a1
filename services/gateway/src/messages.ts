/** What this door says to actors: that the catalog changed, that something happened, that a target should look again. */
import type { DoorMessage } from "@sluice/actor/door"
import type { StorageError, Tx } from "@sluice/actor/ports"
import type { WorkspaceId } from "@sluice/domain/ids"
import type { JsonObject } from "@sluice/domain/json"
import type { EventType, Happened } from "@sluice/protocol/event"
import type { CatalogChanged } from "@sluice/protocol/planner"
import { transactionTime, waitingTargets } from "@sluice/store/door-writes"
import { Effect } from "effect"

export interface Fact {
  readonly type: EventType
  readonly subject: string
  readonly actor: string
  readonly data: JsonObject
}

/** A public event; its time is the database's, of the transaction it is part of. */
export const happened = (tx: Tx, workspaceId: string, fact: Fact): Effect.Effect<DoorMessage, StorageError> =>
  Effect.map(transactionTime(tx), at => ({
    kind: "event",
    workspaceId,
    key: workspaceId,
    type: "Happened",
    body: { ...fact, version: 1, at } satisfies Happened,
  }))

export const planner = (workspaceId: string, change: CatalogChanged): DoorMessage => ({
  kind: "planner",
  workspaceId,
  key: workspaceId,
  type: "CatalogChanged",
  body: change,
})

/** An event names at most this many ids: readers page through lists, an event only says that something changed. */
const namedIdsMax = 20

/** Ids one message to the planner names: three quarters of what fits in one. A set of ten thousand stays one pass. */
const idsPerMessageMax = 16_000

/** One message for each stretch of the longest list; what is short travels with the first. */
const stretches = ({ reason, ...lists }: CatalogChanged): ReadonlyArray<CatalogChanged> => {
  const longest = Math.max(...Object.values(lists).map(list => list.length))
  const count = Math.max(1, Math.ceil(longest / idsPerMessageMax))
  return Array.from({ length: count }, (_, index) => ({
    reason,
    ...Object.fromEntries(
      Object.entries(lists)
        .map(([noun, list]) => [noun, list.slice(index * idsPerMessageMax, (index + 1) * idsPerMessageMax)] as const)
        .filter(([, list]) => index === 0 || list.length > 0),
    ),
  }))
}

/** What the planner and the public are told of an edit. */
export const catalogChanged = (
  tx: Tx,
  workspaceId: string,
  actor: string,
  change: CatalogChanged,
): Effect.Effect<ReadonlyArray<DoorMessage>, StorageError> => {
  const { reason, versions: _, ...ids } = change
  const named = Object.fromEntries(
    Object.entries(ids).map(([noun, list]) => [noun, { count: list.length, ids: list.slice(0, namedIdsMax) }]),
  )
  const subject = Object.values(ids)[0]?.[0] ?? workspaceId
  return Effect.map(
    happened(tx, workspaceId, { type: "catalog.changed", subject, actor, data: { reason, ...named } }),
    event => [...stretches(change).map(each => planner(workspaceId, each)), event],
  )
}

/** "Look again", to exactly the targets that wait on one of the subjects. */
export const wake = (
  tx: Tx,
  workspaceId: WorkspaceId,
  subjects: ReadonlyArray<string>,
  reason: string,
): Effect.Effect<ReadonlyArray<DoorMessage>, StorageError> =>
  Effect.map(waitingTargets(tx, workspaceId, subjects), keys =>
    keys.map(key => ({ kind: "target", workspaceId, key, type: "Reconcile", body: { reason } })),
  )
