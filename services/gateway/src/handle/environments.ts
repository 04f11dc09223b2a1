/** Environments. Selectors are compiled before anything is written. */
import { Door } from "@sluice/actor/door"
import { rangeOf } from "@sluice/api/common"
import * as api from "@sluice/api/environments"
import { apiError, notFound } from "@sluice/api/error"
import { environmentsSubject } from "@sluice/rules/wait-subject"
import {
  deleteEnvironment,
  type EnvironmentRow,
  findEnvironment,
  listEnvironments,
  upsertEnvironment,
} from "@sluice/store/environments"
import { systemsOfEnvironments } from "@sluice/store/systems"
import { Effect } from "effect"
import { checkCel } from "../cel.ts"
import { freshId } from "../fresh-id.ts"
import { catalogChanged, wake } from "../messages.ts"
import { pageOf, read } from "../read.ts"
import { renderEnvironment, renderSystem } from "../render.ts"
import { inWorkspace, type WorkspaceCall, type WorkspaceCallOf } from "../route.ts"

const list = inWorkspace(api.listEnvironments, ({ query, workspace }) => {
  const window = rangeOf(query)
  return Effect.map(
    read(tx => listEnvironments(tx, workspace.id, window)),
    rows => pageOf(rows, window, renderEnvironment),
  )
})

const getBy = (workspaceId: EnvironmentRow["workspaceId"], ref: Parameters<typeof findEnvironment>[2]) =>
  read(
    Effect.fnUntraced(function* (tx) {
      const row = yield* findEnvironment(tx, workspaceId, ref)
      if (row === undefined) return yield* notFound("environment")
      const systems = yield* systemsOfEnvironments(tx, [row.id])
      return { ...renderEnvironment(row), systems: (systems.get(row.id) ?? []).map(renderSystem) }
    }),
  )

const getByName = inWorkspace(api.getEnvironmentByName, ({ params, workspace }) =>
  getBy(workspace.id, { name: params.name }),
)
const get = inWorkspace(api.getEnvironment, ({ params, workspace }) =>
  getBy(workspace.id, { id: params.environmentId }),
)

type Body = WorkspaceCallOf<typeof api.createEnvironment>["body"]
const save = Effect.fnUntraced(function* (
  { workspace, userId, body }: Pick<WorkspaceCall<never, never, Body>, "workspace" | "userId" | "body">,
  id: string,
) {
  yield* checkCel("resourceSelector", "resourceSelector", body.resourceSelector)
  const door = yield* Door
  yield* door.commit(workspace.id, tx =>
    Effect.gen(function* () {
      const written = yield* upsertEnvironment(tx, workspace.id, id, {
        name: body.name,
        description: body.description ?? null,
        resourceSelector: body.resourceSelector ?? null,
        metadata: body.metadata ?? {},
      })
      if (!written) return yield* apiError("ID_IN_USE", "the id is in use elsewhere")
      const reason = `environment ${body.name} saved`
      const changed = yield* catalogChanged(tx, workspace.id, userId, { environments: [id], reason })
      const woken = yield* wake(tx, workspace.id, [environmentsSubject(workspace.id)], reason)
      return { value: undefined, messages: [...changed, ...woken] }
    }),
  )
  return { id, message: "Environment saved" }
})

const create = inWorkspace(api.createEnvironment, call => Effect.flatMap(freshId, id => save(call, id)))
const upsert = inWorkspace(api.upsertEnvironment, call => save(call, call.params.environmentId))

const remove = inWorkspace(
  api.deleteEnvironment,
  Effect.fnUntraced(function* ({ params, workspace, userId }) {
    const id = params.environmentId
    const door = yield* Door
    yield* door.commit(workspace.id, tx =>
      Effect.gen(function* () {
        if (!(yield* deleteEnvironment(tx, workspace.id, id))) return yield* notFound("environment")
        const reason = "environment deleted"
        const changed = yield* catalogChanged(tx, workspace.id, userId, { environments: [id], reason })
        const woken = yield* wake(tx, workspace.id, [environmentsSubject(workspace.id)], reason)
        return { value: undefined, messages: [...changed, ...woken] }
      }),
    )
    return { id, message: "Environment deleted" }
  }),
)

export const environmentRoutes = [list, create, getByName, get, upsert, remove]
