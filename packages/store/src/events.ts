/** The public events of a workspace, by sequence. Written by the event log's batches, whose lock the sequence runs under. */
import type { StorageError, Tx } from "@sluice/actor/ports"
import type { JsonObject } from "@sluice/domain/json"
import type { EventType } from "@sluice/protocol/event"
import { Effect } from "effect"

export interface EventRow {
  readonly id: string
  readonly workspaceId: string
  readonly sequence: number
  readonly type: EventType
  readonly version: number
  /** Epoch milliseconds. */
  readonly at: number
  readonly subject: string
  readonly actor: string
  readonly causationId: string | null
  readonly correlationId: string
  readonly data: JsonObject
}

/** Appends in the order given; the sequence of each workspace goes on from its last. Answers the sequences, in order. */
export const appendEvents = (
  tx: Tx,
  events: ReadonlyArray<Omit<EventRow, "sequence">>,
): Effect.Effect<ReadonlyArray<number>, StorageError> =>
  tx
    .query<{ sequence: number }>(
      `WITH given AS (
         SELECT e.*, row_number() OVER (PARTITION BY e."workspaceId" ORDER BY e.place) AS step
         FROM jsonb_to_recordset($1::jsonb) AS e (place int, id uuid, "workspaceId" uuid, type text, version int,
           at float8, subject text, actor text, "causationId" text, "correlationId" text, data jsonb)
       ), last AS (
         SELECT w.id, coalesce((SELECT max(sequence) FROM event WHERE workspace_id = w.id), 0) AS sequence
         FROM (SELECT DISTINCT "workspaceId" AS id FROM given) AS w
       ), appended AS (
         INSERT INTO event (workspace_id, sequence, id, type, version, at, subject, actor, causation_id,
           correlation_id, data)
         SELECT g."workspaceId", last.sequence + g.step, g.id, g.type, g.version, to_timestamp(g.at / 1000), g.subject,
           g.actor, g."causationId", g."correlationId", g.data
         FROM given g JOIN last ON last.id = g."workspaceId"
         ORDER BY g."workspaceId", g.step
         RETURNING id, sequence
       )
       SELECT a.sequence FROM appended a JOIN given g ON g.id = a.id ORDER BY g.place`,
      [JSON.stringify(events.map((event, place) => ({ ...event, place })))],
    )
    .pipe(Effect.map(rows => rows.map(row => row.sequence)))

export const readEvents = (
  tx: Tx,
  workspaceId: string,
  after: number,
  limit: number,
): Effect.Effect<ReadonlyArray<EventRow>, StorageError> =>
  tx.query<EventRow>(
    `SELECT id, workspace_id AS "workspaceId", sequence, type, version,
       floor(extract(epoch FROM at) * 1000)::float8 AS at, subject, actor, causation_id AS "causationId",
       correlation_id AS "correlationId", data
     FROM event WHERE workspace_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3`,
    [workspaceId, after, limit],
  )

/** First and last sequence kept; both 0 when there is none. */
export const eventBounds = (
  tx: Tx,
  workspaceId: string,
): Effect.Effect<{ readonly first: number; readonly last: number }, StorageError> =>
  tx
    .query<{ first: number; last: number }>(
      "SELECT coalesce(min(sequence), 0) AS first, coalesce(max(sequence), 0) AS last FROM event WHERE workspace_id = $1",
      [workspaceId],
    )
    .pipe(Effect.map(rows => rows[0] ?? { first: 0, last: 0 }))
