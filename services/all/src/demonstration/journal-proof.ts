/** The checker's summary of an installation's journal, for the demonstration's proof. */
import { Storage, type StorageError } from "@sluice/actor/ports"
import { check } from "@sluice/checker/check"
import type { Acknowledged } from "@sluice/protocol/journal-export"
import type { StoreStartError } from "@sluice/store/errors"
import { exportJournal } from "@sluice/store/journal-export"
import { Effect } from "effect"
import { type InstallationDatabase, storageOf } from "./access.ts"
import type { ProofSummary } from "./proof.ts"

/** Reads one snapshot of the whole installation. */
export const journalProof = (
  database: InstallationDatabase,
  acknowledged: ReadonlyArray<Acknowledged>,
): Effect.Effect<ProofSummary, StorageError | StoreStartError> =>
  Effect.gen(function* () {
    const { promises, seen } = check(yield* exportJournal(yield* Storage), acknowledged)
    return {
      eventsChecked: seen.events,
      activeJobSetsPerTargetMax: seen.activeJobSetsPerTargetMax,
      orderKept: promises.P2.violations.length === 0,
      reopenedJobs: seen.reopenedJobs,
      violations: Object.entries(promises).flatMap(([name, { violations }]) =>
        violations.map(violation => `${name}: ${violation}`),
      ),
    }
  }).pipe(Effect.provide(storageOf(database)))
