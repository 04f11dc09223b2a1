/**
 * What one batch writes, in one statement: a round trip costs more than the rows. Rows travel as JSON and are unpacked by
 * Postgres; every table is written by its own part of the statement.
 */
import type { BatchWrites, PartitionId } from "@sluice/actor/partition-store"
import type { StorageError, Tx } from "@sluice/actor/ports"
import type { Envelope } from "@sluice/protocol/envelope"
import { Effect } from "effect"

const milliseconds = "interval '1 millisecond'"
const time = (column: string) => `'epoch'::timestamptz + ${column} * ${milliseconds}`

const outboxPart = `
  INSERT INTO outbox (source_kind, source_partition, kind, partition, number, sent_at, envelope)
  SELECT $1, $2, x.kind, x.partition, x.number, ${time("x.sent")}, x.envelope
  FROM jsonb_to_recordset($3::jsonb) AS x(kind text, partition int, number bigint, sent float8, envelope jsonb)`
const drawnPart = `
  INSERT INTO channel_next (source_kind, source_partition, kind, partition, drawn)
  SELECT $1, $2, x.kind, x.partition, x.drawn
  FROM jsonb_to_recordset($4::jsonb) AS x(kind text, partition int, drawn bigint)
  ON CONFLICT (source_kind, source_partition, kind, partition) DO UPDATE SET drawn = excluded.drawn`

const batchStatement = `
WITH outbox_part AS (${outboxPart}), drawn_part AS (${drawnPart}),
partition_part AS (
  UPDATE partition SET last_now = ${time("$5::float8")}, journal_sequence = $6,
    read_from = greatest(read_from, ${time("$7::float8")})
  WHERE kind = $1 AND partition = $2),
mark_part AS (
  INSERT INTO channel_mark (kind, partition, source_kind, source_partition, source_incarnation, applied)
  SELECT $1, $2, x.kind, x.partition, x.incarnation, x.applied
  FROM jsonb_to_recordset($8::jsonb) AS x(kind text, partition int, incarnation int, applied bigint)
  ON CONFLICT (kind, partition, source_kind, source_partition, source_incarnation) DO UPDATE SET applied = excluded.applied),
state_part AS (
  INSERT INTO actor_state (kind, key, workspace_id, partition, version, schema_version, state, updated_at)
  SELECT $1, x.key, x.workspace, $2, x.version, x.schema, x.state, ${time("$5::float8")}
  FROM jsonb_to_recordset($9::jsonb) AS x(key text, workspace uuid, version bigint, schema int, state jsonb)
  ON CONFLICT (kind, key) DO UPDATE SET version = excluded.version, schema_version = excluded.schema_version,
    state = excluded.state, updated_at = excluded.updated_at),
journal_part AS (
  INSERT INTO journal (kind, partition, sequence, epoch, at, workspace_id, key, message_id, source_kind, source_partition,
    source_incarnation, number, type, message, outcome, reason, events)
  SELECT $1, $2, x.sequence, $10, ${time("$5::float8")}, x.workspace, x.key, x.id, x.source_kind, x.source_partition,
    x.incarnation, x.number, x.type, x.message, x.outcome, x.reason, x.events
  FROM jsonb_to_recordset($11::jsonb) AS x(sequence bigint, workspace uuid, key text, id text, source_kind text,
    source_partition int, incarnation int, number bigint, type text, message jsonb, outcome text, reason text, events jsonb)),
timer_gone AS (
  DELETE FROM timer t USING jsonb_to_recordset($12::jsonb) AS x(key text, name text)
  WHERE t.kind = $1 AND t.key = x.key AND t.name = x.name),
timer_set AS (
  INSERT INTO timer (kind, key, name, partition, workspace_id, due_at, payload)
  SELECT $1, x.key, x.name, $2, x.workspace, ${time("x.due")}, x.payload
  FROM jsonb_to_recordset($13::jsonb) AS x(key text, name text, workspace uuid, due float8, payload jsonb)
  ON CONFLICT (kind, key, name) DO UPDATE SET due_at = excluded.due_at, payload = excluded.payload),
activity_part AS (
  INSERT INTO activity_outbox (id, source_kind, source_partition, sent_at, work)
  SELECT x.id, $1, $2, ${time("$5::float8")}, x.work FROM jsonb_to_recordset($14::jsonb) AS x(id uuid, work jsonb)),
dead_part AS (
  INSERT INTO dead_letter (kind, partition, sequence, key, workspace_id, parked, reason, at, envelope)
  SELECT $1, $2, x.sequence, x.key, x.workspace, x.parked, x.reason, ${time("$5::float8")}, x.envelope
  FROM jsonb_to_recordset($15::jsonb) AS x(sequence bigint, key text, workspace uuid, parked boolean, reason text, envelope jsonb))
INSERT INTO receipt (message_id, outcome, reason, at)
SELECT x.id, x.outcome, x.reason, ${time("$5::float8")} FROM jsonb_to_recordset($16::jsonb) AS x(id text, outcome text, reason text)
ON CONFLICT (message_id) DO NOTHING`

export const writeBatch = Effect.fnUntraced(function* (
  tx: Tx,
  at: PartitionId & { readonly epoch: number },
  writes: BatchWrites,
): Effect.fn.Return<void, StorageError> {
  yield* takeGuards(tx, writes.guards)
  yield* tx.query(batchStatement, [
    at.kind,
    at.partition,
    outboxRows(writes.outbox),
    json(writes.drawn),
    writes.now,
    writes.journalSequence,
    writes.readFrom,
    json(writes.marks),
    json(
      writes.states.map(one => ({
        key: one.key,
        workspace: one.workspaceId,
        version: one.version,
        schema: one.schemaVersion,
        state: one.state,
      })),
    ),
    at.epoch,
    json(
      writes.journal.map(row => ({
        sequence: row.sequence,
        workspace: row.workspaceId,
        key: row.key,
        id: row.messageId,
        source_kind: row.channel?.kind,
        source_partition: row.channel?.partition,
        incarnation: row.channel?.incarnation,
        number: row.channel?.number,
        type: row.type,
        message: row.message ?? null,
        outcome: row.outcome,
        reason: row.reason,
        events: row.events,
      })),
    ),
    json(writes.timersGone),
    json(
      writes.timersSet.map(timer => ({
        key: timer.key,
        name: timer.name,
        workspace: timer.workspaceId,
        due: timer.dueAt,
        payload: timer.payload ?? {},
      })),
    ),
    json(writes.activities.map(work => ({ id: work.id, work }))),
    json(
      writes.deadLetters.map(one => ({
        sequence: one.sequence,
        key: one.key,
        workspace: one.workspaceId,
        parked: one.parked,
        reason: one.reason,
        envelope: one.envelope,
      })),
    ),
    json(writes.receipts.map(one => ({ id: one.messageId, outcome: one.outcome, reason: one.reason }))),
  ])
})

/** For a door: only what it numbered. */
export const writeOutbox = Effect.fnUntraced(function* (
  tx: Tx,
  at: PartitionId,
  outbox: ReadonlyArray<Envelope>,
  drawn: BatchWrites["drawn"],
): Effect.fn.Return<void, StorageError> {
  if (outbox.length === 0) return
  yield* tx.query(`WITH outbox_part AS (${outboxPart}) ${drawnPart}`, [
    at.kind,
    at.partition,
    outboxRows(outbox),
    json(drawn),
  ])
})

/** In name order, so that two batches holding several never wait for each other in a circle. */
const takeGuards = Effect.fnUntraced(function* (tx: Tx, guards: BatchWrites["guards"]) {
  if (guards.length === 0) return
  const shared = guards.filter(one => one.mode === "share").map(one => one.name)
  const held = guards.filter(one => one.mode === "update").map(one => one.name)
  if (shared.length > 0) {
    yield* tx.query("INSERT INTO guard (name) SELECT unnest($1::text[]) ORDER BY 1 ON CONFLICT DO NOTHING", [shared])
    yield* tx.query("SELECT 1 FROM guard WHERE name = ANY($1::text[]) ORDER BY name FOR SHARE", [shared])
  }
  if (held.length > 0) {
    yield* tx.query(
      `INSERT INTO guard (name, version) SELECT unnest($1::text[]), 1 ORDER BY 1
       ON CONFLICT (name) DO UPDATE SET version = guard.version + 1`,
      [held],
    )
  }
})

// NUL has no place in Postgres' text; a message that carries one is refused by SQLSTATE 22P05 and becomes a dead letter.
const json = (value: unknown): string => JSON.stringify(value)

const outboxRows = (outbox: ReadonlyArray<Envelope>): string =>
  json(
    outbox.map(envelope => ({
      kind: envelope.kind,
      partition: envelope.partition,
      number: envelope.number,
      sent: envelope.sentAt,
      envelope,
    })),
  )
