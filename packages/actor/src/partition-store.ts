/**
 * The runtime's view of the store: partitions with epoch and lease, channels, states, journal, timers, outbox. Narrow on
 * purpose: the loop knows nothing else of Postgres, so that the simulator can stand in. The real one is
 * `store/partition-store.ts`.
 */

import type { ActivityWork } from "@sluice/protocol/activities"
import type { ActorKindName, Envelope, SourceKind } from "@sluice/protocol/envelope"
import { Context, type Effect, Schema } from "effect"
import type { StorageError, Tx } from "./ports.ts"

export interface PartitionId {
  readonly kind: SourceKind
  readonly partition: number
}

export interface Taken extends PartitionId {
  readonly epoch: number
  /** Broker time of the newest applied message, epoch ms: where reading starts again, less a margin. */
  readonly readFrom: number
}

/** What a batch finds when it has locked its partition row. */
export interface BatchHead {
  /** Database time, never below the partition's last, epoch ms. */
  readonly now: number
  /** `channelOf(source)` → highest number applied. */
  readonly marks: ReadonlyMap<string, number>
  /** `destinationOf(kind, partition)` → last number drawn. */
  readonly drawn: ReadonlyMap<string, number>
  readonly journalSequence: number
}

export interface StoredState {
  readonly key: string
  readonly version: number
  readonly schemaVersion: number
  readonly state: unknown
}

export interface DueTimer {
  readonly key: string
  readonly name: string
  readonly workspaceId: string
  readonly dueAt: number
  readonly payload: unknown
}

export type JournalOutcome = "applied" | "refused" | "dead" | "parked" | "coalesced"

export interface JournalRow {
  readonly sequence: number
  readonly workspaceId: string
  readonly key: string
  readonly messageId: string
  /** Absent for timers. */
  readonly channel?: {
    readonly kind: SourceKind
    readonly partition: number
    readonly incarnation: number
    readonly number: number
  }
  readonly type: string
  readonly message: unknown
  readonly outcome: JournalOutcome
  readonly reason?: string
  readonly events: ReadonlyArray<unknown>
}

/** Everything one batch writes beside projections. */
export interface BatchWrites {
  readonly now: number
  readonly journalSequence: number
  readonly readFrom: number
  readonly marks: ReadonlyArray<{
    readonly kind: SourceKind
    readonly partition: number
    readonly incarnation: number
    readonly applied: number
  }>
  readonly drawn: ReadonlyArray<{ readonly kind: ActorKindName; readonly partition: number; readonly drawn: number }>
  readonly states: ReadonlyArray<StoredState & { readonly workspaceId: string }>
  readonly journal: ReadonlyArray<JournalRow>
  readonly timersSet: ReadonlyArray<DueTimer>
  readonly timersGone: ReadonlyArray<{ readonly key: string; readonly name: string }>
  readonly outbox: ReadonlyArray<Envelope>
  readonly activities: ReadonlyArray<ActivityWork>
  readonly deadLetters: ReadonlyArray<{
    readonly sequence: number
    readonly key: string
    readonly workspaceId: string
    readonly parked: boolean
    readonly reason: string
    readonly envelope: unknown
  }>
  readonly receipts: ReadonlyArray<{
    readonly messageId: string
    readonly outcome: "applied" | "refused" | "dead"
    readonly reason?: string
  }>
  readonly guards: ReadonlyArray<{ readonly name: string; readonly mode: "update" | "share" }>
}

export interface BatchTx {
  /** For facts and projections of the kind. */
  readonly tx: Tx
  /** The next timers by due time, due or not, at most `limit`. */
  readonly timers: (limit: number) => Effect.Effect<ReadonlyArray<DueTimer>, StorageError>
  readonly load: (keys: ReadonlyArray<string>) => Effect.Effect<
    {
      readonly states: ReadonlyMap<string, StoredState>
      /** Keys stopped by a dead letter. */
      readonly stopped: ReadonlySet<string>
    },
    StorageError
  >
  readonly write: (writes: BatchWrites) => Effect.Effect<void, StorageError>
}

/** Somebody else owns the partition now: whoever gets this drops what it held and stands down. */
export class Fenced extends Schema.TaggedError<Fenced>()("Fenced", {
  kind: Schema.String,
  partition: Schema.Int,
  epoch: Schema.Int,
}) {}

export class PartitionStore extends Context.Service<
  PartitionStore,
  {
    readonly installation: { readonly partitions: number; readonly incarnation: number }
    /** One transaction under the partition's row, at this epoch. Fails with `Fenced` when the epoch is another. */
    readonly batch: <A, E>(
      at: PartitionId & { readonly epoch: number },
      work: (head: BatchHead, batch: BatchTx) => Effect.Effect<A, E>,
    ) => Effect.Effect<A, E | Fenced | StorageError>
    /** Under a door partition's row, last in a caller's transaction: reads the numbers and stores what was numbered. */
    readonly number: <A>(
      tx: Tx,
      at: PartitionId,
      assign: (head: Pick<BatchHead, "now" | "drawn">) => { readonly value: A } & Pick<BatchWrites, "outbox" | "drawn">,
    ) => Effect.Effect<A, StorageError>
    /** Takes every partition of these kinds whose lease has run out. Bumps their epochs. */
    readonly take: (
      kinds: ReadonlyArray<SourceKind>,
      owner: string,
      leaseMs: number,
      /** Owners known to be dead: their leases count as run out. */
      dead: ReadonlyArray<string>,
      /** Not these: this process cannot run them. */
      except: ReadonlyArray<PartitionId>,
    ) => Effect.Effect<ReadonlyArray<Taken>, StorageError>
    /** Whoever holds a lease, run out or not. */
    readonly owners: Effect.Effect<ReadonlyArray<string>, StorageError>
    /** Renews in one statement; answers what is still this owner's. */
    readonly renew: (owner: string, leaseMs: number) => Effect.Effect<ReadonlyArray<PartitionId>, StorageError>
    readonly release: (owner: string, list: ReadonlyArray<PartitionId>) => Effect.Effect<void, StorageError>
    /** Outbox rows of these sources not yet applied by their destinations, in channel order; deletes the applied ones first. */
    readonly unapplied: (
      sources: ReadonlyArray<PartitionId>,
    ) => Effect.Effect<ReadonlyArray<ChannelBacklog>, StorageError>
    /** Envelopes of one channel from a number on, in order. */
    readonly outbox: (
      source: PartitionId,
      destination: { readonly kind: ActorKindName; readonly partition: number },
      from: number,
      limit: number,
    ) => Effect.Effect<ReadonlyArray<Envelope>, StorageError>
    /** Activities not known to be stored by the broker, oldest first. */
    readonly activities: (
      sources: ReadonlyArray<PartitionId>,
      olderThanMs: number,
      limit: number,
    ) => Effect.Effect<ReadonlyArray<ActivityWork>, StorageError>
    readonly activitiesStored: (ids: ReadonlyArray<string>) => Effect.Effect<void, StorageError>
    /** The broker may have lost what it stored for these sources: it counts as not stored again. */
    readonly activitiesLost: (sources: ReadonlyArray<PartitionId>) => Effect.Effect<void, StorageError>
    /** Their results are being committed; answers those whose result is the first (a second delivery comes too late). */
    readonly activitiesDone: (tx: Tx, ids: ReadonlyArray<string>) => Effect.Effect<ReadonlySet<string>, StorageError>
    readonly receipt: (
      messageId: string,
    ) => Effect.Effect<{ readonly outcome: string; readonly reason?: string } | undefined, StorageError>
  }
>()("@sluice/actor/PartitionStore") {}

export interface ChannelBacklog {
  readonly source: PartitionId
  readonly kind: ActorKindName
  readonly partition: number
  readonly first: number
  readonly count: number
}

export const channelOf = (source: { kind: string; partition: number; incarnation: number }): string =>
  `${source.kind}.${source.partition}.${source.incarnation}`
export const destinationOf = (kind: string, partition: number): string => `${kind}.${partition}`
