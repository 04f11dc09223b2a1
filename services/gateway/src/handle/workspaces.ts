/** Workspaces. */
import { Door } from "@sluice/actor/door"
import { notFound } from "@sluice/api/error"
import * as api from "@sluice/api/workspaces"
import type { WorkspaceId } from "@sluice/domain/ids"
import { insertMember } from "@sluice/store/users"
import {
  deleteWorkspace,
  findWorkspace,
  insertWorkspace,
  listWorkspaces,
  updateWorkspace,
} from "@sluice/store/workspaces"
import { Effect } from "effect"
import { freshId } from "../fresh-id.ts"
import { catalogChanged } from "../messages.ts"
import { read } from "../read.ts"
import { renderWorkspace } from "../render.ts"
import { inWorkspace, ofUser } from "../route.ts"

const list = ofUser(
  api.listWorkspaces,
  Effect.fnUntraced(function* ({ userId }) {
    const rows = yield* read(tx => listWorkspaces(tx, userId))
    return { workspaces: rows.map(renderWorkspace), total: rows.length }
  }),
)

const create = ofUser(
  api.createWorkspace,
  Effect.fnUntraced(function* ({ body, userId }) {
    const door = yield* Door
    const id = (yield* freshId) as WorkspaceId
    const { value } = yield* door.commit(id, tx =>
      Effect.gen(function* () {
        const row = yield* insertWorkspace(tx, { id, name: body.name, slug: body.slug })
        yield* insertMember(tx, { workspaceId: id, userId, role: "admin" })
        return { value: row, messages: [] }
      }),
    )
    return renderWorkspace(value)
  }),
)

const getBySlug = ofUser(
  api.getWorkspaceBySlug,
  Effect.fnUntraced(function* ({ params, userId }) {
    const row = yield* read(tx => findWorkspace(tx, userId, { slug: params.workspaceSlug }))
    return row === undefined ? yield* notFound("workspace") : renderWorkspace(row)
  }),
)

const get = inWorkspace(api.getWorkspace, ({ workspace }) => Effect.succeed(renderWorkspace(workspace)))

const update = inWorkspace(
  api.updateWorkspace,
  Effect.fnUntraced(function* ({ body, workspace }) {
    const door = yield* Door
    const { value } = yield* door.commit(workspace.id, tx =>
      Effect.map(updateWorkspace(tx, workspace.id, pick(body)), row => ({ value: row, messages: [] })),
    )
    return value === undefined ? yield* notFound("workspace") : renderWorkspace(value)
  }),
)
/** Unknown keys of a body are kept by the schema and must not reach the row. */
const pick = (body: { readonly name?: string; readonly slug?: string }) => ({
  ...(body.name === undefined ? {} : { name: body.name }),
  ...(body.slug === undefined ? {} : { slug: body.slug }),
})

const remove = inWorkspace(
  api.deleteWorkspace,
  Effect.fnUntraced(function* ({ workspace, userId }) {
    const door = yield* Door
    yield* door.commit(workspace.id, tx =>
      Effect.gen(function* () {
        const emptied = yield* deleteWorkspace(tx, workspace.id)
        const messages = yield* catalogChanged(tx, workspace.id, userId, { ...emptied, reason: "workspace deleted" })
        return { value: undefined, messages }
      }),
    )
    return undefined
  }),
)

export const workspaceRoutes = [list, create, getBySlug, get, update, remove]
