/** What doors write and read beside entities: who waits on a subject, the row a stop leaves its mark on, the time. */
import type { StorageError, Tx } from "@sluice/actor/ports"
import type { WorkspaceId } from "@sluice/domain/ids"
import { Effect } from "effect"

/** Keys of the release targets that wait on any of the subjects, in key order. */
export const waitingTargets = (
  tx: Tx,
  workspaceId: WorkspaceId,
  subjects: ReadonlyArray<string>,
): Effect.Effect<ReadonlyArray<string>, StorageError> =>
  tx
    .query<{ key: string }>(
      "SELECT DISTINCT target_key AS key FROM wait WHERE subject = ANY($1::text[]) AND workspace_id = $2 ORDER BY 1",
      [subjects, workspaceId],
    )
    .pipe(Effect.map(rows => rows.map(row => row.key)))

/** A batch that read this guard before and offers a job after this commit conflicts, and decides again. */
export const bumpGuard = (tx: Tx, name: string): Effect.Effect<void, StorageError> =>
  tx
    .query(
      "INSERT INTO guard (name, version) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET version = guard.version + 1",
      [name],
    )
    .pipe(Effect.asVoid)

/** Epoch milliseconds: the database's time of this transaction. */
export const transactionTime = (tx: Tx): Effect.Effect<number, StorageError> =>
  tx
    .query<{ now: number }>("SELECT floor(extract(epoch FROM now()) * 1000)::float8 AS now")
    .pipe(Effect.map(rows => rows[0]?.now ?? 0))
