/** What changed in one workspace: the messages of a batch, taken together. Pure. */
import type { CatalogChanged } from "@sluice/protocol/planner"
import type { Concern } from "@sluice/store/planning"

export interface Change {
  readonly resources: ReadonlyArray<string>
  readonly deployments: ReadonlyArray<string>
  readonly environments: ReadonlyArray<string>
  readonly systems: ReadonlyArray<string>
}

/**
 * What may have moved targets in or out. Versions, policies and agents never do; names that are repeated count once.
 */
export const mergeChanges = (bodies: ReadonlyArray<CatalogChanged>): Change => ({
  resources: distinct(bodies.flatMap(body => body.resources ?? [])),
  deployments: distinct(bodies.flatMap(body => body.deployments ?? [])),
  environments: distinct(bodies.flatMap(body => body.environments ?? [])),
  systems: distinct(bodies.flatMap(body => body.systems ?? [])),
})

/**
 * Whom the change concerns beside those that moved. A policy may bind anybody before or after the edit, and neither
 * selector is known here: everybody. A version concerns its deployment. A link only moves targets; agents are read
 * afresh by every dispatch.
 */
export const concernOf = (bodies: ReadonlyArray<CatalogChanged>, change: Change): Concern => {
  if (bodies.some(body => (body.policies ?? []).length > 0)) return { everything: true }
  const ofVersions = bodies.flatMap(body => (body.versions ?? []).map(version => version.deploymentId))
  return {
    ...some("resourceIds", change.resources),
    ...some("deploymentIds", distinct([...change.deployments, ...ofVersions])),
    ...some("environmentIds", change.environments),
  }
}

const some = <K extends string>(name: K, ids: ReadonlyArray<string>) =>
  (ids.length === 0 ? {} : { [name]: ids }) as { readonly [P in K]?: ReadonlyArray<string> }

const distinct = (ids: ReadonlyArray<string>): ReadonlyArray<string> => [...new Set(ids)]
