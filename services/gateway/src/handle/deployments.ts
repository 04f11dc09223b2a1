/** Deployments. Selectors are compiled before anything is written. */
import { Door } from "@sluice/actor/door"
import { rangeOf } from "@sluice/api/common"
import * as api from "@sluice/api/deployments"
import { apiError, notFound } from "@sluice/api/error"
import {
  allDeployments,
  type DeploymentRow,
  deleteDeployment,
  findDeployment,
  listDeployments,
  upsertDeployment,
} from "@sluice/store/deployments"
import { systemsOfDeployments } from "@sluice/store/systems"
import { Effect } from "effect"
import { checkCel, filterBy } from "../cel.ts"
import { freshId } from "../fresh-id.ts"
import { catalogChanged } from "../messages.ts"
import { pageOf, read, windowOf } from "../read.ts"
import { renderDeployment, renderSystem } from "../render.ts"
import { inWorkspace, type WorkspaceCall, type WorkspaceCallOf } from "../route.ts"

const list = inWorkspace(api.listDeployments, ({ query, workspace, userAgent }) => {
  const window = rangeOf(query)
  const { cel } = query
  return read(
    Effect.fnUntraced(function* (tx) {
      const rows =
        cel === undefined
          ? yield* listDeployments(tx, workspace.id, window)
          : windowOf(
              yield* filterBy("deploymentFilter", cel, yield* allDeployments(tx, workspace.id), {
                entity: row => renderDeployment(row),
                onFailed: "refuse",
              }),
              window,
            )
      const systems = yield* systemsOfDeployments(
        tx,
        rows.items.map(row => row.id),
      )
      return pageOf(rows, window, row => ({
        deployment: renderDeployment(row, userAgent),
        systems: (systems.get(row.id) ?? []).map(renderSystem),
      }))
    }),
  )
})

const getBy = (
  { workspace, userAgent }: Pick<WorkspaceCall<never, never, never>, "workspace" | "userAgent">,
  ref: Parameters<typeof findDeployment>[2],
) =>
  read(
    Effect.fnUntraced(function* (tx) {
      const row = yield* findDeployment(tx, workspace.id, ref)
      if (row === undefined) return yield* notFound("deployment")
      const systems = yield* systemsOfDeployments(tx, [row.id])
      return {
        deployment: renderDeployment(row, userAgent),
        systems: (systems.get(row.id) ?? []).map(renderSystem),
        variables: [],
      }
    }),
  )

const getByName = inWorkspace(api.getDeploymentByName, call => getBy(call, { name: call.params.name }))
const get = inWorkspace(api.getDeployment, call => getBy(call, { id: call.params.deploymentId }))

type Body = WorkspaceCallOf<typeof api.createDeployment>["body"]
const save = Effect.fnUntraced(function* (
  { workspace, userId, body }: Pick<WorkspaceCall<never, never, Body>, "workspace" | "userId" | "body">,
  id: string,
) {
  // Terraform sends an unset agent selector as an empty text; an empty resource selector is a mistake.
  const jobAgentSelector = body.jobAgentSelector === "" ? undefined : body.jobAgentSelector
  yield* checkCel("resourceSelector", "resourceSelector", body.resourceSelector)
  yield* checkCel("jobAgentSelector", "jobAgentSelector", jobAgentSelector)
  const door = yield* Door
  yield* door.commit(workspace.id, tx =>
    Effect.gen(function* () {
      const written = yield* upsertDeployment(tx, workspace.id, id, {
        name: body.name,
        description: body.description ?? null,
        resourceSelector: body.resourceSelector ?? null,
        metadata: body.metadata ?? {},
        ...agentOf(yield* findDeployment(tx, workspace.id, { id }), body),
      })
      if (!written) return yield* apiError("ID_IN_USE", "the id is in use elsewhere")
      const reason = `deployment ${body.name} saved`
      const messages = yield* catalogChanged(tx, workspace.id, userId, { deployments: [id], reason })
      return { value: undefined, messages }
    }),
  )
  return { id, message: "Deployment saved" }
})

/** On update the config moves only together with the selector; a new deployment takes what is given. */
const agentOf = (before: DeploymentRow | undefined, body: Body) =>
  before !== undefined && body.jobAgentSelector === undefined
    ? {}
    : { agent: { jobAgentSelector: body.jobAgentSelector || null, jobAgentConfig: body.jobAgentConfig ?? {} } }

const create = inWorkspace(api.createDeployment, call => Effect.flatMap(freshId, id => save(call, id)))
const upsert = inWorkspace(api.upsertDeployment, call => save(call, call.params.deploymentId))

const remove = inWorkspace(
  api.deleteDeployment,
  Effect.fnUntraced(function* ({ params, workspace, userId }) {
    const id = params.deploymentId
    const door = yield* Door
    yield* door.commit(workspace.id, tx =>
      Effect.gen(function* () {
        if (!(yield* deleteDeployment(tx, workspace.id, id))) return yield* notFound("deployment")
        const messages = yield* catalogChanged(tx, workspace.id, userId, {
          deployments: [id],
          reason: "deployment deleted",
        })
        return { value: undefined, messages }
      }),
    )
    return { id, message: "Deployment deleted" }
  }),
)

/** This release keeps no variables of deployments: whoever looks finds none. */
const variables = inWorkspace(api.listDeploymentVariables, ({ query }) =>
  Effect.succeed({ items: [], total: 0, ...rangeOf(query) }),
)

export const deploymentRoutes = [list, create, getByName, get, upsert, remove, variables]
