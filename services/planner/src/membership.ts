/**
 * Keeps match sets and release targets true to the catalog, for what a change touches: changed resources against every
 * selector, changed selectors against every resource, then the targets that have to come and go. In pages, giving the
 * event loop back between slices.
 */
import type { Tx } from "@sluice/actor/ports"
import type { Resource } from "@sluice/domain/entities"
import {
  dropTargets,
  joinTargets,
  type MatchPair,
  type MovedTarget,
  type Owner,
  removeMatchesOfGone,
  replaceMatches,
  resourcesAfter,
  resourcesById,
  type SelectorRow,
  selectorsOf,
} from "@sluice/store/planning"
import { Effect } from "effect"
import type { Change } from "./change.ts"
import { compileSelectors, matchAll, type Selector, type Selectors } from "./match.ts"

/** Resources read, matched and written at a time: a page of wide ones stays at a few megabytes. */
const pageResourcesMax = 1_000
/** And evaluations between two statements: some half a second, far below the time a session may idle in a transaction. */
const pageEvaluationsMax = 200_000
/** Expression evaluations in one turn of the event loop: some 10 ms, so that leases and timers are served in between. */
const evaluationsPerTurn = 2_000

export interface Moved {
  readonly joined: ReadonlyArray<MovedTarget>
  readonly left: ReadonlyArray<MovedTarget>
  readonly broken: Selectors["broken"]
}

/** `now`: whole epoch milliseconds, the time that joined and left rows carry. */
export const applyChange = Effect.fnUntraced(function* (tx: Tx, workspaceId: string, change: Change, now: number) {
  const broken = yield* updateMatches(tx, workspaceId, change)
  const joined: Array<MovedTarget> = []
  const left: Array<MovedTarget> = []
  for (const scope of ["resources", "deployments", "environments", "systems"] as const) {
    const ids = change[scope]
    if (ids.length === 0) continue
    left.push(...(yield* dropTargets(tx, workspaceId, scope, ids, now)))
    joined.push(...(yield* joinTargets(tx, workspaceId, scope, ids, now)))
  }
  const moved: Moved = { joined, left, broken }
  return moved
})

const updateMatches = Effect.fnUntraced(function* (tx: Tx, workspaceId: string, change: Change) {
  const { resources, deployments, environments } = change
  if (resources.length + deployments.length + environments.length === 0) return []
  yield* removeMatchesOfGone(tx, workspaceId, {
    deployment: deployments,
    environment: environments,
    resource: resources,
  })
  const changedIds = new Set([...deployments, ...environments])
  const rows = yield* selectorsOf(tx, workspaceId, resources.length > 0 ? "all" : { deployments, environments })
  const { usable, broken } = compileSelectors(rows)
  const changed = usable.filter(selector => changedIds.has(selector.id))

  if (changed.length > 0) yield* matchEveryResource(tx, workspaceId, changed)
  const others = usable.filter(selector => !changedIds.has(selector.id))
  if (others.length > 0) {
    const size = pageSize(others)
    for (let from = 0; from < resources.length; from += size) {
      const page = yield* resourcesById(tx, workspaceId, resources.slice(from, from + size))
      yield* matchPage(tx, workspaceId, others, page)
    }
  }
  return broken
})

const matchEveryResource = Effect.fnUntraced(function* (
  tx: Tx,
  workspaceId: string,
  selectors: ReadonlyArray<Selector>,
) {
  const size = pageSize(selectors)
  let after: string | null = null
  for (;;) {
    const page: ReadonlyArray<Resource> = yield* resourcesAfter(tx, workspaceId, after, size)
    yield* matchPage(tx, workspaceId, selectors, page)
    const last = page.at(-1)
    if (last === undefined || page.length < size) return
    after = last.id
  }
})

const pageSize = (selectors: ReadonlyArray<Selector>): number =>
  Math.min(pageResourcesMax, Math.max(1, Math.floor(pageEvaluationsMax / selectors.length)))

const matchPage = Effect.fnUntraced(function* (
  tx: Tx,
  workspaceId: string,
  selectors: ReadonlyArray<Selector>,
  page: ReadonlyArray<Resource>,
) {
  if (page.length === 0) return
  const matches: Record<Owner, Array<MatchPair>> = { deployment: [], environment: [] }
  const slice = Math.max(1, Math.floor(evaluationsPerTurn / selectors.length))
  for (let from = 0; from < page.length; from += slice) {
    const found = matchAll(selectors, page.slice(from, from + slice))
    matches.deployment.push(...found.deployment)
    matches.environment.push(...found.environment)
    yield* Effect.yieldNow
  }
  const resourceIds = page.map(resource => resource.id)
  for (const owner of ["deployment", "environment"] satisfies ReadonlyArray<SelectorRow["owner"]>) {
    const ownerIds = selectors.filter(selector => selector.owner === owner).map(selector => selector.id)
    if (ownerIds.length === 0) continue
    yield* replaceMatches(tx, workspaceId, owner, { ownerIds, resourceIds }, matches[owner])
  }
})
