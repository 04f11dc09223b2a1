/** What the checker is given: one snapshot of a database, in the shape of `protocol/journal-export`. */
import { it } from "@effect/vitest"
import { Storage } from "@sluice/actor/ports"
import { testStore } from "@sluice/testkit/shared"
import { Effect } from "effect"
import { describe, expect } from "vitest"
import { exportJournal } from "../src/journal-export.ts"

const [ours, others] = ["11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"]

const insertEntry = `
  INSERT INTO journal (kind, partition, sequence, epoch, at, workspace_id, key, message_id, source_kind, source_partition,
    source_incarnation, number, type, message, outcome, reason, events)
  SELECT 'target', 3, s, 2, to_timestamp(1000 + s), $1::uuid, 'k', 'm' || s, CASE WHEN s % 2 = 0 THEN 'door' END, 1, 1, s,
    'Reconcile', '{"reason":"look"}', 'refused', 'no such actor', '[{"_tag":"Looked"}]' FROM generate_series($2::int, $3::int) s`

describe("an export of the journal", () => {
  it.live("holds every entry in order, over more than one page, and tells timers from messages", () =>
    Effect.gen(function* () {
      const storage = yield* Storage
      yield* storage.query(insertEntry, [ours, 1, 6_000])
      const { journal } = yield* exportJournal(storage)
      expect(journal.map(entry => entry.sequence)).toEqual(Array.from({ length: 6_000 }, (_, i) => i + 1))
      expect(journal[0]).toEqual({
        kind: "target",
        partition: 3,
        sequence: 1,
        epoch: 2,
        at: 1_001_000,
        workspaceId: ours,
        key: "k",
        messageId: "m1",
        type: "Reconcile",
        message: { reason: "look" },
        outcome: "refused",
        reason: "no such actor",
        events: [{ _tag: "Looked" }],
      })
      expect(journal[1]?.source).toEqual({ kind: "door", partition: 1, incarnation: 1, number: 2 })
    }).pipe(Effect.provide(testStore)),
  )

  it.live("of one workspace names it and leaves the others out", () =>
    Effect.gen(function* () {
      const storage = yield* Storage
      yield* storage.query(insertEntry, [ours, 1, 3])
      yield* storage.query(insertEntry, [others, 4, 5])
      const data = yield* exportJournal(storage, others)
      expect(data.workspaceId).toBe(others)
      expect(data.journal.map(entry => entry.sequence)).toEqual([4, 5])
      expect(data.channels).toEqual([])
    }).pipe(Effect.provide(testStore)),
  )
})
