/** Resources by identifier. */
import { Door } from "@sluice/actor/door"
import { rangeOf } from "@sluice/api/common"
import { notFound } from "@sluice/api/error"
import * as api from "@sluice/api/resources"
import { allResources, deleteResource, findResource, listResources, upsertResource } from "@sluice/store/resources"
import { Effect } from "effect"
import { filterBy } from "../cel.ts"
import { freshId } from "../fresh-id.ts"
import { catalogChanged } from "../messages.ts"
import { pageOf, read, windowOf } from "../read.ts"
import { isGoDefault, renderResource } from "../render.ts"
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

export const resourceRoutes = [list, search, get, upsert, remove]
