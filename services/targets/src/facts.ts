/**
 * The one set-based read of a batch: entities, policies, candidates, then what the rules that bind each target need to
 * know of them. Shared by (deployment, environment) and version, so that cost follows what changed. A row that is missing
 * becomes a wait that names it, never an error.
 */
import type { FactRequest } from "@sluice/actor/definition"
import type { StorageError, Tx } from "@sluice/actor/ports"
import type { Environment, Version } from "@sluice/domain/entities"
import type { DeploymentId, EnvironmentId, ReleaseTargetKey, VersionId, WorkspaceId } from "@sluice/domain/ids"
import { bind } from "@sluice/rules/bind"
import { nextWindow } from "@sluice/rules/evaluate"
import { type Candidate, type FactNeeds, mergeNeeds, quarantineKey } from "@sluice/rules/facts"
import { needsOf } from "@sluice/rules/needs"
import * as store from "@sluice/store/target-facts"
import { newestVersions, releasesOf, type VersionRow, versionsById } from "@sluice/store/target-facts-versions"
import { Effect } from "effect"
import { nameOf } from "./decide.ts"
import { expressions } from "./expressions.ts"
import { loadFailures, loadRuleFacts } from "./needed-facts.ts"
import { decodePolicy } from "./policies.ts"
import type { TargetState } from "./state.ts"
import type { Found, TargetFacts } from "./target-facts.ts"
import type { TargetMessage } from "./transitions.ts"

type Request = FactRequest<TargetState, TargetMessage>

/** A target whose rows are all there, before its rules' facts are loaded. */
interface Known {
  readonly request: Request
  readonly subject: Found["subject"]
  readonly binding: Found["binding"]
  readonly candidates: Found["candidates"]
  readonly ownVersions: ReadonlyArray<VersionId>
}

export const loadFacts = Effect.fn("target facts")(function* (
  tx: Tx,
  requests: ReadonlyArray<Request>,
): Effect.fn.Return<ReadonlyMap<string, TargetFacts>, StorageError> {
  const facts = new Map<string, TargetFacts>(requests.map(request => [request.key, { _tag: "Absent" }]))
  const rows = yield* store.presentTargets(
    tx,
    requests.map(request => request.key),
  )
  const present = requests.filter(request => rows.has(request.key))
  if (present.length === 0) return facts

  const catalog = yield* loadCatalog(tx, [...rows.values()])
  const newest = yield* newestVersions(tx, windowsOf(present, rows))
  const known: Array<Known> = []
  for (const request of present) {
    const row = rows.get(request.key) as store.TargetRow
    const subject = subjectOf(row, catalog)
    if (typeof subject === "string") facts.set(request.key, { _tag: "Incomplete", missing: subject })
    else {
      const binding = bind(catalog.policies.get(row.workspaceId) ?? [], subject, expressions)
      const candidates = looks(request)
        ? candidatesOf(newest.get(row.deploymentId) ?? [], windowOf(request))
        : undefined
      known.push({ request, subject, binding, candidates, ownVersions: ownVersionsOf(request) })
    }
  }
  const rules = yield* loadRuleFacts(tx, mergeNeeds(known.map(needsOfKnown)))
  const versions = yield* loadVersions(tx, known, newest)
  const failures = yield* loadFailures(
    tx,
    known.map(({ request, subject }) => ({ request, subject })),
  )
  const releases = yield* loadForgottenReleases(tx, known)
  for (const { request, subject, binding, candidates } of known) {
    const { key } = request
    facts.set(key, {
      _tag: "Found",
      ...{ subject, binding, rules, versions },
      ...(candidates === undefined ? {} : { candidates }),
      failures: failures.get(key) ?? new Map(),
      releases: releases.get(key) ?? new Map(),
    })
  }
  return facts
})

/** Results need no candidates; whatever may start a version does. */
const looks = (request: Request): boolean =>
  request.inputs.some(input => {
    const name = nameOf(input)
    return name === "Look" || name === "Redeploy"
  })

const windowOf = (request: Request): number => request.state?.window ?? nextWindow()

/** One more than the window, to know whether there are more. */
const windowsOf = (requests: ReadonlyArray<Request>, rows: ReadonlyMap<string, store.TargetRow>) => {
  const most = new Map<string, number>()
  for (const request of requests.filter(looks)) {
    const { deploymentId } = rows.get(request.key) as store.TargetRow
    most.set(deploymentId, Math.max(most.get(deploymentId) ?? 0, windowOf(request) + 1))
  }
  return [...most].map(([deploymentId, wanted]) => ({ deploymentId, most: wanted }))
}

const candidatesOf = (rows: ReadonlyArray<VersionRow>, window: number): NonNullable<Found["candidates"]> => ({
  newest: rows.slice(0, window).map(candidateOf),
  more: rows.length > window,
})

/** The same row is the same object for every target: its converted form is remembered by it. */
const candidates = new WeakMap<VersionRow, Candidate>()
const candidateOf = (row: VersionRow): Candidate => {
  const known = candidates.get(row)
  if (known !== undefined) return known
  const { version, createdAt, dependsOn, createdBy } = row
  const candidate = { version, createdAt, dependsOn, ...(createdBy === null ? {} : { createdBy }) }
  candidates.set(row, candidate)
  return candidate
}

type Catalog = Effect.Success<ReturnType<typeof loadCatalog>>

const loadCatalog = Effect.fnUntraced(function* (tx: Tx, rows: ReadonlyArray<store.TargetRow>) {
  const ids = (field: keyof store.TargetRow) => [...new Set(rows.map(row => row[field]))]
  const stored = yield* store.policiesOfWorkspaces(tx, ids("workspaceId"))
  return {
    deployments: yield* store.deploymentsById(tx, ids("deploymentId")),
    environments: yield* store.environmentsById(tx, ids("environmentId")),
    resources: yield* store.resourcesById(tx, ids("resourceId")),
    siblings: yield* store.siblingEnvironments(tx, ids("environmentId")),
    policies: new Map(
      [...Map.groupBy(stored, policy => policy.workspaceId)].map(([id, list]) => [id, list.map(decodePolicy)]),
    ),
  }
})

/** Or the sentence that names what is missing. */
const subjectOf = (row: store.TargetRow, catalog: Catalog): Found["subject"] | string => {
  const deployment = catalog.deployments.get(row.deploymentId)
  if (deployment === undefined) return `the row of deployment ${row.deploymentId} is missing`
  const environment = catalog.environments.get(row.environmentId)
  if (environment === undefined) return `the row of environment ${row.environmentId} is missing`
  const resource = catalog.resources.get(row.resourceId)
  if (resource === undefined) return `the row of resource ${row.resourceId} is missing`
  const siblings: ReadonlyArray<Environment> = catalog.siblings.get(row.environmentId) ?? []
  const { key, workspaceId } = row
  return {
    key: key as ReleaseTargetKey,
    workspaceId: workspaceId as WorkspaceId,
    deployment,
    environment,
    resource,
    siblings,
  }
}

/** Versions that run here, ran here, or are being judged: their scope quarantines and rows count in every decision. */
const ownVersionsOf = ({ state, inputs }: Request): ReadonlyArray<VersionId> => {
  const named = inputs.flatMap(input =>
    input._tag === "Message" && input.message.type === "ReleaseQuarantine"
      ? [input.message.body.versionId, ...(state?.setbacks ?? []).map(setback => setback.versionId)]
      : [],
  )
  const releases = [state?.current, state?.lastTried, state?.suspended?.run, ...(state?.good ?? [])]
  const ids = [...releases.map(release => release?.versionId), ...named].filter(id => id !== undefined)
  return [...new Set(ids as Array<VersionId>)]
}

const needsOfKnown = ({ subject, binding, candidates, ownVersions }: Known): FactNeeds => {
  const [deploymentId, environmentId] = [subject.deployment.id as DeploymentId, subject.environment.id as EnvironmentId]
  const own = ownVersions.map(versionId => {
    const need = { versionId, deploymentId, environmentId }
    return { ...need, key: quarantineKey(need) }
  })
  const asked = needsOf({ subject, binding, candidates: candidates?.newest ?? [], expressions })
  return { ...asked, quarantines: [...asked.quarantines, ...own] }
}

const loadVersions = Effect.fnUntraced(function* (
  tx: Tx,
  known: ReadonlyArray<Known>,
  newest: ReadonlyMap<string, ReadonlyArray<VersionRow>>,
) {
  const versions = new Map<string, Version>()
  for (const row of [...newest.values()].flat()) versions.set(row.id, row.version)
  const missing = new Set(known.flatMap(({ ownVersions }) => ownVersions.filter(id => !versions.has(id))))
  for (const row of yield* versionsById(tx, [...missing])) versions.set(row.id, row.version)
  return versions
})

/** Only for targets that have had more releases than their state remembers. */
const loadForgottenReleases = Effect.fnUntraced(function* (tx: Tx, known: ReadonlyArray<Known>) {
  const forgetful = known.filter(({ request, candidates }) => request.state?.releasesForgotten === true && candidates)
  const rows = yield* releasesOf(tx, {
    targetKeys: forgetful.map(({ request }) => request.key),
    versionIds: [
      ...new Set(forgetful.flatMap(({ candidates }) => (candidates?.newest ?? []).map(one => one.version.id))),
    ],
  })
  return new Map(
    [...Map.groupBy(rows, row => row.targetKey)].map(([key, list]) => [
      key,
      new Map(list.map(row => [row.versionId, row.id])),
    ]),
  )
})
