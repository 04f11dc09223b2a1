/**
 * Where each target stands in its rollouts: answers `RolloutNeed`s for a whole batch. The stored order where there is one;
 * until the first start, and for the clock types, the order by hash of all targets the pair has now.
 */
import type { StorageError, Tx } from "@sluice/actor/ports"
import type { ReleaseTargetKey, VersionId } from "@sluice/domain/ids"
import type { Neighbour, RolloutFacts, RolloutNeed, VerifiedRolloutFacts } from "@sluice/rules/facts"
import { rolloutOrder } from "@sluice/rules/rollout-order"
import {
  busyTargets,
  lateArrivals,
  type Pair,
  type PairTargetRow,
  type PairVersion,
  type PlaceRow,
  placesOf,
  type RolloutRow,
  rolloutsOf,
  settledOn,
  targetsOfPairs,
} from "@sluice/store/target-facts-rollouts"
import { Effect } from "effect"

export const loadRolloutFacts = Effect.fnUntraced(function* (
  tx: Tx,
  needs: ReadonlyArray<RolloutNeed>,
): Effect.fn.Return<ReadonlyMap<string, RolloutFacts>, StorageError> {
  if (needs.length === 0) return new Map()
  const rollouts = byVersion(yield* rolloutsOf(tx, once(needs, versionOf)))
  const stored = (need: PairVersion) => typeof rollouts.get(versionOf(need))?.startedAt === "number"
  const verified = needs.filter(need => need.verified)
  const ordered = verified.filter(stored)
  const unordered = verified.filter(need => !stored(need))
  const hashed = needs.filter(need => need.clock || (need.verified && !stored(need)))

  const busy = Map.groupBy(yield* busyTargets(tx, once(verified, pairOf)), pairOf)
  const pairs = Map.groupBy(yield* targetsOfPairs(tx, once(hashed, pairOf)), pairOf)
  const settled = Map.groupBy(yield* settledOn(tx, once(unordered, versionOf)), row => row.versionId)
  const places = new Map(
    (yield* placesOf(
      tx,
      ordered.map(({ key, targetKey, environmentId, versionId, unsettledMax }) => ({
        ...{ key, targetKey, environmentId, versionId },
        most: unsettledMax,
      })),
    )).map(row => [row.key, row]),
  )
  const late = ordered.filter(need => places.get(need.key)?.own === null)
  const arrivals = Map.groupBy(
    yield* lateArrivals(tx, once(late, versionOf)),
    row => `${row.environmentId}:${row.versionId}`,
  )

  // Once per version of a pair, however many of its targets ask.
  const orders = new Map<string, Order>()
  const orderFor = (need: RolloutNeed): Order => {
    const known = orders.get(versionOf(need))
    if (known !== undefined) return known
    const order = orderOf(pairs.get(pairOf(need)) ?? [], need.versionId, settled.get(need.versionId) ?? [])
    orders.set(versionOf(need), order)
    return order
  }
  const standing = (need: RolloutNeed): Standing | undefined => {
    const place = places.get(need.key)
    if (place === undefined) return beforeTheStart(need, orderFor(need))
    const key = `${need.environmentId}:${need.versionId}`
    return afterTheStart(need, place, arrivals.get(key) ?? [], rollouts.get(versionOf(need)))
  }

  return new Map(
    needs.map((need): [string, RolloutFacts] => {
      const rollout = rollouts.get(versionOf(need))
      const clock = need.clock ? orderFor(need) : undefined
      const position = clock?.positions.get(need.targetKey)
      const health = need.verified ? standing(need) : undefined
      const others = (busy.get(pairOf(need)) ?? []).filter(target => target.key !== need.targetKey)
      return [
        need.key,
        {
          failed: rollout?.failed ?? 0,
          ...(clock === undefined || position === undefined ? {} : { clock: { position, total: clock.places.length } }),
          ...(health === undefined
            ? {}
            : { verified: { ...health, ...timesOf(rollout), activeOthers: others.length } }),
        },
      ]
    }),
  )
})

/** The targets of a pair in a version's order by hash. */
interface Order {
  readonly places: ReadonlyArray<PairTargetRow>
  readonly positions: ReadonlyMap<string, number>
  readonly settled: ReadonlySet<string>
}

const orderOf = (
  targets: ReadonlyArray<PairTargetRow>,
  versionId: VersionId,
  settled: ReadonlyArray<{ readonly key: string }>,
): Order => {
  const rows = new Map(targets.map(target => [target.key, target]))
  const keys = rolloutOrder([...(rows.keys() as Iterable<ReleaseTargetKey>)], versionId)
  return {
    places: keys.flatMap(key => rows.get(key) ?? []),
    positions: new Map(keys.map((key, at) => [key, at])),
    settled: new Set(settled.map(row => row.key)),
  }
}

type Standing = Pick<VerifiedRolloutFacts, "position" | "total" | "unsettledAhead" | "unsettledAheadCount">

/** Nobody has started: the order is the one that the first start will store. */
const beforeTheStart = (need: RolloutNeed, { places, positions, settled }: Order): Standing | undefined => {
  const position = positions.get(need.targetKey)
  if (position === undefined) return undefined
  const ahead: Array<Neighbour> = []
  for (let at = position - 1; at >= 0 && ahead.length < need.unsettledMax; at--) {
    const row = places[at]
    if (row !== undefined && !row.held && !settled.has(row.key)) ahead.push(neighbour(row, at))
  }
  return { position, total: places.length, unsettledAhead: ahead, unsettledAheadCount: ahead.length }
}

/** A target without a place came later: behind all that have one, in the order in which they joined. */
const afterTheStart = (
  need: RolloutNeed,
  place: PlaceRow,
  arrivals: ReadonlyArray<{
    readonly key: string
    readonly name: string
    readonly phase: string | null
    readonly held: boolean
  }>,
  rollout: RolloutRow | undefined,
): Standing => {
  const total = rollout?.total ?? 0
  const stored = place.ahead.map(row => neighbour(row, row.position))
  if (place.own !== null) {
    return { position: place.own, total, unsettledAhead: stored, unsettledAheadCount: stored.length }
  }
  const first = Math.max(0, total - arrivals.length)
  const mine = arrivals.findIndex(arrival => arrival.key === need.targetKey)
  const before = arrivals
    .slice(0, Math.max(0, mine))
    .flatMap((arrival, at) => (arrival.held ? [] : [neighbour(arrival, first + at)]))
    .reverse()
  const ahead = [...before, ...stored].slice(0, need.unsettledMax)
  return { position: first + Math.max(0, mine), total, unsettledAhead: ahead, unsettledAheadCount: ahead.length }
}

const neighbour = (
  row: { readonly key: string; readonly name: string; readonly phase: string | null },
  position: number,
): Neighbour => ({
  key: row.key as ReleaseTargetKey,
  name: row.name,
  position,
  what: words[row.phase ?? ""] ?? "waiting",
})

const words: Readonly<Record<string, string>> = {
  deploying: "deploying",
  verifying: "verifying",
  rollingBack: "rolling back",
  held: "held",
}

const timesOf = (rollout: RolloutRow | undefined) => ({
  ...(typeof rollout?.startedAt === "number" ? { startedAt: rollout.startedAt } : {}),
  ...(typeof rollout?.lastStartAt === "number" ? { lastStartAt: rollout.lastStartAt } : {}),
  ...(rollout?.newerId && rollout.newerTag !== null
    ? { newerStarted: { versionId: rollout.newerId as VersionId, tag: rollout.newerTag } }
    : {}),
})

const pairOf = ({ deploymentId, environmentId }: Pair): string => `${deploymentId}:${environmentId}`
const versionOf = (of: PairVersion): string => `${pairOf(of)}:${of.versionId}`
const byVersion = (rows: ReadonlyArray<RolloutRow>) => new Map(rows.map(row => [versionOf(row), row]))

/** Each pair, or each version of a pair, once. */
const once = (needs: ReadonlyArray<PairVersion>, keyOf: (of: PairVersion) => string): ReadonlyArray<PairVersion> => [
  ...new Map(
    needs.map(need => {
      const { deploymentId, environmentId, versionId } = need
      return [keyOf(need), { deploymentId, environmentId, versionId }]
    }),
  ).values(),
]
