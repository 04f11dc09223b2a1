/**
 * The runtime's `PartitionStore` port on Postgres. A batch is one REPEATABLE READ transaction under the partition's row;
 * whatever else may write the same row in between makes it fail with a conflict, and it is repeated.
 */
import {
  type BatchHead,
  type BatchTx,
  type ChannelBacklog,
  channelOf,
  type DueTimer,
  destinationOf,
  Fenced,
  type PartitionId,
  PartitionStore,
  type StoredState,
  type Taken,
} from "@sluice/actor/partition-store"
import { Storage, type StorageError, type Tx } from "@sluice/actor/ports"
import type { ActivityWork } from "@sluice/protocol/activities"
import type { Envelope } from "@sluice/protocol/envelope"
import { Effect, Layer } from "effect"
import { writeBatch, writeOutbox } from "./batch-writes.ts"
import type { Installation } from "./installation.ts"

export const partitionStoreLayer = (installation: Installation): Layer.Layer<PartitionStore, never, Storage> =>
  Layer.effect(
    PartitionStore,
    Effect.map(Storage, storage => ({
      installation,
      batch: (at, work) =>
        storage.transaction("repeatable read", tx =>
          Effect.flatMap(openBatch(tx, at), head => work(head, batchTx(tx, at))),
        ),
      number: (tx, at, assign) =>
        Effect.gen(function* () {
          // READ COMMITTED: the row is read as it is once the lock is held, and the numbers after it.
          yield* tx.query("SELECT 1 FROM partition WHERE kind = $1 AND partition = $2 FOR UPDATE", [
            at.kind,
            at.partition,
          ])
          const [row] = yield* tx.query<{ now: number; drawn: ReadonlyArray<[string, number, number]> | null }>(
            `SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now,
               (SELECT json_agg(json_build_array(kind, partition, drawn)) FROM channel_next
                 WHERE source_kind = $1 AND source_partition = $2) AS drawn`,
            [at.kind, at.partition],
          )
          const { value, outbox, drawn } = assign({ now: row?.now ?? 0, drawn: drawnOf(row?.drawn) })
          yield* writeOutbox(tx, at, outbox, drawn)
          return value
        }),
      take: (kinds, owner, leaseMs, dead, except) =>
        storage.transaction("read committed", tx => take(tx, kinds, owner, leaseMs, dead, except)),
      owners: Effect.map(
        storage.query<{ owner: string }>("SELECT DISTINCT owner FROM lease WHERE owner IS NOT NULL"),
        rows => rows.map(row => row.owner),
      ),
      renew: (owner, leaseMs) =>
        storage.query<PartitionId>(
          `UPDATE lease SET lease_until = clock_timestamp() + $2 * interval '1 millisecond'
           WHERE owner = $1 RETURNING kind, partition`,
          [owner, leaseMs],
        ),
      release: (owner, list) =>
        list.length === 0
          ? Effect.void
          : Effect.asVoid(
              storage.query(
                `UPDATE lease SET owner = NULL, lease_until = 'epoch', graceful = true
                 WHERE owner = $1 AND (kind, partition) IN (SELECT * FROM unnest($2::text[], $3::int[]))`,
                [owner, list.map(one => one.kind), list.map(one => one.partition)],
              ),
            ),
      unapplied: sources => unapplied(storage.query, sources, installation.incarnation),
      outbox: (source, destination, from, limit) =>
        Effect.map(
          storage.query<{ envelope: Envelope }>(
            `SELECT envelope FROM outbox WHERE source_kind = $1 AND source_partition = $2 AND kind = $3 AND partition = $4
               AND number >= $5 ORDER BY number LIMIT $6`,
            [source.kind, source.partition, destination.kind, destination.partition, from, limit],
          ),
          rows => rows.map(row => row.envelope),
        ),
      activities: (sources, olderThanMs, limit) =>
        Effect.map(
          storage.query<{ work: ActivityWork }>(
            `SELECT work FROM activity_outbox
             WHERE (source_kind, source_partition) IN (SELECT * FROM unnest($1::text[], $2::int[]))
               AND NOT stored AND sent_at <= clock_timestamp() - $3 * interval '1 millisecond'
             ORDER BY sent_at LIMIT $4`,
            [sources.map(one => one.kind), sources.map(one => one.partition), olderThanMs, limit],
          ),
          rows => rows.map(row => row.work),
        ),
      activitiesStored: ids =>
        ids.length === 0
          ? Effect.void
          : Effect.asVoid(storage.query("UPDATE activity_outbox SET stored = true WHERE id = ANY($1::uuid[])", [ids])),
      activitiesLost: sources =>
        Effect.asVoid(
          storage.query(
            `UPDATE activity_outbox SET stored = false
             WHERE stored AND (source_kind, source_partition) IN (SELECT * FROM unnest($1::text[], $2::int[]))`,
            [sources.map(one => one.kind), sources.map(one => one.partition)],
          ),
        ),
      activitiesDone: (tx, ids) =>
        Effect.map(
          tx.query<{ id: string }>("DELETE FROM activity_outbox WHERE id = ANY($1::uuid[]) RETURNING id", [ids]),
          rows => new Set(rows.map(row => row.id)),
        ),
      receipt: messageId =>
        Effect.map(
          storage.query<{ outcome: string; reason: string | null }>(
            "SELECT outcome, reason FROM receipt WHERE message_id = $1",
            [messageId],
          ),
          ([row]) =>
            row === undefined
              ? undefined
              : { outcome: row.outcome, ...(row.reason === null ? {} : { reason: row.reason }) },
        ),
    })),
  )

interface HeadRow {
  readonly epoch: number
  readonly now: number
  readonly journal_sequence: number
  readonly marks: ReadonlyArray<[string, number, number, number]> | null
  readonly drawn: ReadonlyArray<[string, number, number]> | null
}

const openBatch = Effect.fnUntraced(function* (
  tx: Tx,
  at: PartitionId & { readonly epoch: number },
): Effect.fn.Return<BatchHead, Fenced | StorageError> {
  const [row] = yield* tx.query<HeadRow>(
    `WITH locked AS (SELECT epoch, last_now, journal_sequence FROM partition WHERE kind = $1 AND partition = $2 FOR UPDATE)
     SELECT epoch, journal_sequence,
       floor(extract(epoch FROM greatest(clock_timestamp(), last_now)) * 1000)::float8 AS now,
       (SELECT json_agg(json_build_array(source_kind, source_partition, source_incarnation, applied)) FROM channel_mark
         WHERE kind = $1 AND partition = $2) AS marks,
       (SELECT json_agg(json_build_array(kind, partition, drawn)) FROM channel_next
         WHERE source_kind = $1 AND source_partition = $2) AS drawn
     FROM locked`,
    [at.kind, at.partition],
  )
  if (row === undefined || row.epoch !== at.epoch) return yield* new Fenced(at)
  return {
    now: row.now,
    journalSequence: row.journal_sequence,
    marks: new Map(
      (row.marks ?? []).map(([kind, partition, incarnation, applied]) => [
        channelOf({ kind, partition, incarnation }),
        applied,
      ]),
    ),
    drawn: drawnOf(row.drawn),
  }
})

const drawnOf = (rows: HeadRow["drawn"] | undefined): ReadonlyMap<string, number> =>
  new Map((rows ?? []).map(([kind, partition, drawn]) => [destinationOf(kind, partition), drawn]))

const batchTx = (tx: Tx, at: PartitionId & { readonly epoch: number }): BatchTx => ({
  tx,
  timers: limit =>
    tx.query<DueTimer>(
      `SELECT key, name, workspace_id AS "workspaceId", payload,
         ceil(extract(epoch FROM due_at) * 1000)::float8 AS "dueAt"
       FROM timer WHERE kind = $1 AND partition = $2 ORDER BY due_at, key, name LIMIT $3`,
      [at.kind, at.partition, limit],
    ),
  load: Effect.fnUntraced(function* (keys) {
    const rows = yield* tx.query<StoredState>(
      `SELECT key, version, schema_version AS "schemaVersion", state FROM actor_state WHERE kind = $1 AND key = ANY($2::text[])`,
      [at.kind, keys],
    )
    const stopped = yield* tx.query<{ key: string }>(
      "SELECT DISTINCT key FROM dead_letter WHERE kind = $1 AND key = ANY($2::text[])",
      [at.kind, keys],
    )
    return { states: new Map(rows.map(row => [row.key, row])), stopped: new Set(stopped.map(row => row.key)) }
  }),
  write: writes => writeBatch(tx, at, writes),
})

const take = Effect.fnUntraced(function* (
  tx: Tx,
  kinds: ReadonlyArray<string>,
  owner: string,
  leaseMs: number,
  dead: ReadonlyArray<string>,
  except: ReadonlyArray<PartitionId>,
) {
  // Rows somebody else is taking at this moment are theirs.
  const free = yield* tx.query<PartitionId>(
    `UPDATE lease SET owner = $2, lease_until = clock_timestamp() + $3 * interval '1 millisecond', graceful = false
     WHERE (kind, partition) IN (
       SELECT kind, partition FROM lease
       WHERE kind = ANY($1::text[]) AND owner IS DISTINCT FROM $2
         AND (lease_until < clock_timestamp() OR owner = ANY($4::text[]))
         AND (kind, partition) NOT IN (SELECT * FROM unnest($5::text[], $6::int[]))
       FOR UPDATE SKIP LOCKED)
     RETURNING kind, partition`,
    [kinds, owner, leaseMs, dead, except.map(one => one.kind), except.map(one => one.partition)],
  )
  if (free.length === 0) return []
  return yield* tx.query<Taken>(
    `UPDATE partition SET epoch = epoch + 1
     WHERE (kind, partition) IN (SELECT * FROM unnest($1::text[], $2::int[]))
     RETURNING kind, partition, epoch, floor(extract(epoch FROM read_from) * 1000)::float8 AS "readFrom"`,
    [free.map(one => one.kind), free.map(one => one.partition)],
  )
})

const unapplied = Effect.fnUntraced(function* (
  query: Tx["query"],
  sources: ReadonlyArray<PartitionId>,
  incarnation: number,
) {
  const values = [sources.map(one => one.kind), sources.map(one => one.partition)]
  yield* query(
    `DELETE FROM outbox o USING channel_mark m
     WHERE (o.source_kind, o.source_partition) IN (SELECT * FROM unnest($1::text[], $2::int[]))
       AND m.kind = o.kind AND m.partition = o.partition AND m.source_kind = o.source_kind
       AND m.source_partition = o.source_partition AND m.source_incarnation = $3 AND o.number <= m.applied`,
    [...values, incarnation],
  )
  const rows = yield* query<{
    source_kind: PartitionId["kind"]
    source_partition: number
    kind: ChannelBacklog["kind"]
    partition: number
    first: number
    count: number
  }>(
    `SELECT source_kind, source_partition, kind, partition, min(number) AS first, count(*) AS count FROM outbox
     WHERE (source_kind, source_partition) IN (SELECT * FROM unnest($1::text[], $2::int[]))
     GROUP BY 1, 2, 3, 4`,
    values,
  )
  return rows.map(
    (row): ChannelBacklog => ({
      source: { kind: row.source_kind, partition: row.source_partition },
      kind: row.kind,
      partition: row.partition,
      first: row.first,
      count: row.count,
    }),
  )
})
