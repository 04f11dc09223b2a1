/** Resources by identifier. */
import { Door } from "@sluice/actor/door"
import { rangeOf } from "@sluice/api/common"
import { notFound } from "@sluice/api/error"
import * as api from "@sluice/api/resources"
import type { JsonObject } from "@sluice/domain/json"
import { deploymentsOfResource } from "@sluice/store/deployments"
import { findTargetOfResource } from "@sluice/store/release-targets-read"
import { listResourceVariables, replaceResourceVariables } from "@sluice/store/resource-variables"
import {
  allResources,
  deleteResource,
  findResource,
  listResources,
  lockResource,
  upsertResource,
} from "@sluice/store/resources"
import { Effect } from "effect"
import { filterBy } from "../cel.ts"
import { freshId } from "../fresh-id.ts"
import { catalogChanged } from "../messages.ts"
import { pageOf, read, windowOf } from "../read.ts"
import { isGoDefault, renderDeployment, renderResource } from "../render.ts"
import { inWorkspace, Reply } from "../route.ts"

const list = inWorkspace(api.listResources, ({ query, workspace }) => {
  const window = rangeOf(query)
  const { cel } = query
  return read(
    Effect.fnUntraced(function* (tx) {
      if (cel === undefined) return pageOf(yield* listResources(tx, workspace.id, {}, window), window, renderResource)
      const kept = yield* filterBy("resourceSelector", cel, yield* allResources(tx, workspace.id), {
        entity: renderResource,
        onFailed: "skip",
      })
      return pageOf(windowOf(kept, window), window, renderResource)
    }),
  )
})

/** The contract's own default for a search, other than that of lists. */
const searchLimitDefault = 500

const search = inWorkspace(api.searchResources, ({ body: { limit, offset, ...filter }, workspace }) => {
  const window = { limit: limit ?? searchLimitDefault, offset: offset ?? 0 }
  return Effect.map(
    read(tx => listResources(tx, workspace.id, filter, window)),
    rows => pageOf(rows, window, renderResource),
  )
})

const get = inWorkspace(
  api.getResource,
  Effect.fnUntraced(function* ({ params, workspace }) {
    const row = yield* read(tx => findResource(tx, workspace.id, params.identifier))
    return row === undefined ? yield* notFound("resource") : renderResource(row)
  }),
)

const upsert = inWorkspace(
  api.upsertResource,
  Effect.fnUntraced(function* ({ params, body, workspace, userId }) {
    const door = yield* Door
    const newId = yield* freshId
    const { value: id } = yield* door.commit(workspace.id, tx =>
      Effect.gen(function* () {
        const id = yield* upsertResource(tx, workspace.id, params.identifier, newId, {
          name: body.name,
          kind: body.kind,
          version: body.version,
          config: body.config ?? {},
          metadata: body.metadata ?? {},
        })
        if (body.variables !== undefined) {
          const owner = { workspaceId: workspace.id, resourceId: id }
          yield* replaceResourceVariables(tx, owner, storedValues(body.variables))
        }
        const reason = `resource ${params.identifier} saved`
        return { value: id, messages: yield* catalogChanged(tx, workspace.id, userId, { resources: [id], reason }) }
      }),
    )
    return { id, message: "Resource saved" }
  }),
)

const remove = inWorkspace(
  api.deleteResource,
  Effect.fnUntraced(function* ({ params, workspace, userId, userAgent }) {
    const door = yield* Door
    const { value: id } = yield* door.commit(workspace.id, tx =>
      Effect.gen(function* () {
        const id = yield* deleteResource(tx, workspace.id, params.identifier)
        if (id === undefined) return yield* notFound("resource")
        const reason = `resource ${params.identifier} deleted`
        return { value: id, messages: yield* catalogChanged(tx, workspace.id, userId, { resources: [id], reason }) }
      }),
    )
    const body = { id, message: "Resource deleted" }
    // Terraform takes 202 and fails on 200, the contract's own tests want 200 (contract 6.1, line 1).
    return isGoDefault(userAgent) ? new Reply(202, body) : body
  }),
)

/**
 * As the contract stores them: objects that are no reference, and arrays, go under `object`; anything else as it is. A null
 * is a variable that was not given.
 */
const storedValues = (variables: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(variables)
      .filter(([, value]) => value !== null)
      .map(([key, value]) => [key, typeof value === "object" && !isWrapped(value) ? { object: value } : value]),
  )
const isWrapped = (value: object | null): boolean => {
  const keys = Object.keys(value ?? {})
    .sort()
    .join()
  return keys === "object" || keys === "path,reference" || keys === "valueHash"
}

const variables = inWorkspace(api.listResourceVariables, ({ params, query, workspace }) => {
  const window = rangeOf(query)
  return read(
    Effect.fnUntraced(function* (tx) {
      const row = yield* findResource(tx, workspace.id, params.identifier)
      if (row === undefined) return yield* notFound("resource")
      return pageOf(yield* listResourceVariables(tx, row.id, window), window, each => each)
    }),
  )
})

/** Named PATCH, but replaces the whole set: so the contract has it, and `ctrlc apply` relies on it. */
const setVariables = inWorkspace(
  api.setResourceVariables,
  Effect.fnUntraced(function* ({ params, body, workspace, userId }) {
    const door = yield* Door
    const { value: id } = yield* door.commit(workspace.id, tx =>
      Effect.gen(function* () {
        const id = yield* lockResource(tx, workspace.id, params.identifier)
        if (id === undefined) return yield* notFound("resource")
        yield* replaceResourceVariables(tx, { workspaceId: workspace.id, resourceId: id }, storedValues(body))
        const reason = `variables of ${params.identifier} saved`
        return { value: id, messages: yield* catalogChanged(tx, workspace.id, userId, { resources: [id], reason }) }
      }),
    )
    return { id, message: "Variables saved" }
  }),
)

const deployments = inWorkspace(api.listResourceDeployments, ({ params, query, workspace, userAgent }) => {
  const window = rangeOf(query)
  return read(
    Effect.fnUntraced(function* (tx) {
      const row = yield* findResource(tx, workspace.id, params.identifier)
      if (row === undefined) return yield* notFound("resource")
      const rows = yield* deploymentsOfResource(tx, workspace.id, row.id, window)
      return pageOf(rows, window, each => renderDeployment(each, userAgent))
    }),
  )
})

const target = inWorkspace(
  api.getResourceTarget,
  Effect.fnUntraced(function* ({ params: { identifier, deploymentId }, workspace }) {
    const row = yield* read(tx => findTargetOfResource(tx, { workspaceId: workspace.id, identifier, deploymentId }))
    if (row === undefined) return yield* notFound("release target")
    return { resourceId: row.resourceId, environmentId: row.environmentId, deploymentId: row.deploymentId }
  }),
)

export const resourceRoutes = [list, search, get, upsert, remove, variables, setVariables, deployments, target]
