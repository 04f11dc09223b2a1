/** Resource providers and their full sets. */
import { Door } from "@sluice/actor/door"
import { rangeOf } from "@sluice/api/common"
import { apiError, notFound } from "@sluice/api/error"
import * as api from "@sluice/api/resource-providers"
import {
  deleteProvider,
  findProvider,
  lockProvider,
  ownsResources,
  renameProvider,
  reviveProvider,
  upsertProvider,
} from "@sluice/store/resource-providers"
import { setResources } from "@sluice/store/resource-sets"
import { resourcesOfProvider } from "@sluice/store/resources"
import { Effect } from "effect"
import { freshId, freshIds } from "../fresh-id.ts"
import { catalogChanged } from "../messages.ts"
import { pageOf, read } from "../read.ts"
import { isUuid } from "../read-request.ts"
import { renderProvider, renderResource } from "../render.ts"
import { inWorkspace } from "../route.ts"

const upsert = inWorkspace(
  api.upsertProvider,
  Effect.fnUntraced(function* ({ body, workspace }) {
    const door = yield* Door
    const given = body.id !== undefined && isUuid(body.id) ? body.id.toLowerCase() : undefined
    const newId = given ?? (yield* freshId)
    const content = { name: body.name, ...(body.metadata === undefined ? {} : { metadata: body.metadata }) }
    const { value } = yield* door.commit(workspace.id, tx =>
      Effect.gen(function* () {
        // By id first, which is how Terraform renames; by name otherwise, whatever id the caller made up.
        const known = given === undefined ? undefined : yield* findProvider(tx, workspace.id, { id: given })
        if (known !== undefined) return { value: yield* renameProvider(tx, known.id, content), messages: [] }
        const isNamed = (yield* findProvider(tx, workspace.id, { name: body.name })) !== undefined
        const revived =
          given === undefined || isNamed ? undefined : yield* reviveProvider(tx, workspace.id, given, content)
        const row = revived ?? (yield* upsertProvider(tx, workspace.id, newId, content))
        return { value: row, messages: [] }
      }).pipe(
        Effect.catchTag("StorageError", error =>
          Effect.fail(
            error.constraint === "resource_provider_pkey" ? apiError("ID_IN_USE", "the id is in use elsewhere") : error,
          ),
        ),
      ),
    )
    return renderProvider(value)
  }),
)

const get = inWorkspace(
  api.getProvider,
  Effect.fnUntraced(function* ({ params, workspace }) {
    const row = yield* read(tx => findProvider(tx, workspace.id, { name: params.name }))
    return row === undefined ? yield* notFound("resource provider") : renderProvider(row)
  }),
)

const remove = inWorkspace(
  api.deleteProvider,
  Effect.fnUntraced(function* ({ params, workspace }) {
    const door = yield* Door
    const { value } = yield* door.commit(workspace.id, tx =>
      Effect.gen(function* () {
        const row = yield* findProvider(tx, workspace.id, { name: params.name })
        if (row === undefined || !(yield* lockProvider(tx, workspace.id, row.id))) {
          return yield* notFound("resource provider")
        }
        if (yield* ownsResources(tx, row.id)) {
          return yield* apiError("PROVIDER_NOT_EMPTY", "the provider still owns resources")
        }
        yield* deleteProvider(tx, row.id)
        return { value: row, messages: [] }
      }),
    )
    return renderProvider(value)
  }),
)

const resources = inWorkspace(api.listProviderResources, ({ params, query, workspace }) => {
  const window = rangeOf(query)
  return read(
    Effect.fnUntraced(function* (tx) {
      const provider = yield* findProvider(tx, workspace.id, { name: params.name })
      if (provider === undefined) return yield* notFound("resource provider")
      return pageOf(yield* resourcesOfProvider(tx, workspace.id, provider.id, window), window, renderResource)
    }),
  )
})

const set = inWorkspace(
  api.setProviderResources,
  Effect.fnUntraced(function* ({ params: { providerId }, body, workspace, userId }) {
    const door = yield* Door
    const ids = yield* freshIds(body.resources.length)
    const entries = body.resources.map((sent, index) => ({
      id: ids[index] ?? "",
      identifier: sent.identifier,
      name: sent.name,
      kind: sent.kind,
      version: sent.version,
      config: sent.config ?? {},
      metadata: sent.metadata ?? {},
    }))
    yield* door.commit(workspace.id, tx =>
      Effect.gen(function* () {
        if (!(yield* lockProvider(tx, workspace.id, providerId))) return yield* notFound("resource provider")
        const change = yield* setResources(tx, { workspaceId: workspace.id, providerId }, entries)
        const changed = [...change.written, ...change.ended]
        if (changed.length === 0) return { value: undefined, messages: [] }
        const messages = yield* catalogChanged(tx, workspace.id, userId, {
          resources: changed,
          reason: `${change.written.length} resources set, ${change.ended.length} gone`,
        })
        return { value: undefined, messages }
      }),
    )
    return { ok: true, method: "direct" }
  }),
)

export const resourceProviderRoutes = [upsert, get, remove, resources, set]
