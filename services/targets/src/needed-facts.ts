/** Answers to the merged needs of a batch: one statement per kind, and what failed elsewhere for the targets judged now. */
import type { FactRequest } from "@sluice/actor/definition"
import type { StorageError, Tx } from "@sluice/actor/ports"
import type { FactNeeds, Facts, ProgressionStatistics, TargetSubject } from "@sluice/rules/facts"
import type { FailedTargets } from "@sluice/rules/rollback"
import {
  approvalsFor,
  failuresOf,
  type ProgressionRow,
  progressionsFor,
  quarantinesFor,
} from "@sluice/store/target-facts-needs"
import { Effect } from "effect"
import { loadRolloutFacts } from "./rollout-facts.ts"
import { setbackOf, type TargetState } from "./state.ts"

export const loadRuleFacts = Effect.fnUntraced(function* (
  tx: Tx,
  needs: FactNeeds,
): Effect.fn.Return<Facts, StorageError> {
  const approvals = Map.groupBy(yield* approvalsFor(tx, needs.approvals), row => row.key)
  const progressions = yield* progressionsFor(tx, needs.progressions)
  const quarantines = yield* quarantinesFor(tx, needs.quarantines)
  const rollouts = yield* loadRolloutFacts(tx, needs.rollouts)
  return {
    // Nobody having approved is an answer too.
    approvals: new Map(
      needs.approvals.map(({ key }) => [
        key,
        (approvals.get(key) ?? []).map(({ userId, status, createdAt }) => ({ userId, status, createdAt })),
      ]),
    ),
    progressions: new Map(progressions.map(row => [row.key, statisticsOf(row)])),
    quarantines: new Map(quarantines.map(({ key, scope, reason, at }) => [key, { scope, reason, at }])),
    rollouts,
  }
})

const statisticsOf = (row: ProgressionRow): ProgressionStatistics => ({
  targets: row.targets,
  succeeded: row.succeeded,
  ...(row.earliest === null ? {} : { earliestSuccessAt: row.earliest }),
  ...(row.kth === null ? {} : { kthSuccessAt: row.kth }),
  ...(row.latest === null ? {} : { latestOfEarliestSuccessAt: row.latest }),
  ...(row.mostRecent === null ? {} : { mostRecentSuccessAt: row.mostRecent }),
})

/** Other targets on which the version tried last failed for good, by target key and version. */
export const loadFailures = Effect.fnUntraced(function* (
  tx: Tx,
  targets: ReadonlyArray<{
    readonly request: Pick<FactRequest<TargetState, never>, "key" | "state">
    readonly subject: TargetSubject
  }>,
) {
  const judged = targets.flatMap(({ request: { key, state }, subject }) =>
    state?.lastTried === undefined || (state.tries[0]?.outcome === "successful" && state.phase._tag !== "Verifying")
      ? []
      : [{ key, state, versionId: state.lastTried.versionId, environmentId: subject.environment.id as string }],
  )
  const rows = yield* failuresOf(tx, [...new Set(judged.map(one => one.versionId))])
  return new Map(
    judged.map(({ key, state, versionId, environmentId }): [string, ReadonlyMap<string, FailedTargets>] => {
      const mine = setbackOf(state, versionId)?.failed === true ? 1 : 0
      const failed = rows.filter(row => row.versionId === versionId)
      const here = failed.find(row => row.environmentId === environmentId)?.failed ?? 0
      const all = failed.reduce((sum, row) => sum + row.failed, 0)
      return [
        key,
        new Map([[versionId, { environment: Math.max(0, here - mine), deployment: Math.max(0, all - mine) }]]),
      ]
    }),
  )
})
