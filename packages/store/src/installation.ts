/**
 * The one row that says what this installation is, and the rows its partitions are owned and numbered by. Made at the
 * first start; later starts find them. The partition count never changes: an actor's partition is a hash modulo it.
 */
import { Storage } from "@sluice/actor/ports"
import { sourceKinds } from "@sluice/protocol/envelope"
import { defaultPartitionCount } from "@sluice/protocol/partition"
import { Effect } from "effect"

export interface Installation {
  readonly id: string
  readonly partitions: number
  /** Grows when the database is restored from an older state. */
  readonly incarnation: number
}

/** `partitions` counts for a new installation only; the answer says what the installation really has. */
export const ensureInstallation = Effect.fn("ensureInstallation")(function* (partitions = defaultPartitionCount) {
  const storage = yield* Storage
  return yield* storage.transaction("read committed", tx =>
    Effect.gen(function* () {
      // Of several first starts one inserts; the others wait here for its commit, and read it below.
      yield* tx.query("INSERT INTO installation (partitions) VALUES ($1) ON CONFLICT DO NOTHING", [partitions])
      const [installation] = yield* tx.query<Installation>("SELECT id, partitions, incarnation FROM installation")
      if (installation === undefined) return yield* Effect.die(new Error("the installation row vanished"))
      for (const table of ["partition", "lease"]) {
        yield* tx.query(
          `INSERT INTO ${table} (kind, partition)
           SELECT kind, number FROM unnest($1::text[]) AS kind, generate_series(0, $2 - 1) AS number
           ORDER BY kind, number ON CONFLICT DO NOTHING`,
          [sourceKinds, installation.partitions],
        )
      }
      return installation
    }),
  )
})
