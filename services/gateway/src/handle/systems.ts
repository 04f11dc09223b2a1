/** Systems and their links. A link decides which release targets exist, so its change is told to the planner. */
import { Door } from "@sluice/actor/door"
import { rangeOf } from "@sluice/api/common"
import { apiError, notFound } from "@sluice/api/error"
import * as api from "@sluice/api/systems"
import { environmentsSubject } from "@sluice/rules/wait-subject"
import {
  addLink,
  deleteSystem,
  findSystem,
  hasLink,
  type Link,
  type LinkKind,
  listSystems,
  membersOf,
  removeLink,
  upsertSystem,
} from "@sluice/store/systems"
import { Effect } from "effect"
import { freshId } from "../fresh-id.ts"
import { catalogChanged, wake } from "../messages.ts"
import { pageOf, read } from "../read.ts"
import { renderDeployment, renderEnvironment, renderSystem } from "../render.ts"
import { inWorkspace, type WorkspaceCall, type WorkspaceCallOf } from "../route.ts"

const list = inWorkspace(api.listSystems, ({ query, workspace }) => {
  const window = rangeOf(query)
  return Effect.map(
    read(tx => listSystems(tx, workspace.id, window)),
    rows => pageOf(rows, window, renderSystem),
  )
})

const get = inWorkspace(api.getSystem, ({ params, workspace, userAgent }) =>
  read(
    Effect.fnUntraced(function* (tx) {
      const row = yield* findSystem(tx, workspace.id, params.systemId)
      if (row === undefined) return yield* notFound("system")
      const members = yield* membersOf(tx, row.id)
      return {
        ...renderSystem(row),
        deployments: members.deployments.map(each => renderDeployment(each, userAgent)),
        environments: members.environments.map(renderEnvironment),
      }
    }),
  ),
)

type Body = WorkspaceCallOf<typeof api.createSystem>["body"]
const save = Effect.fnUntraced(function* (
  { workspace, userId, body }: Pick<WorkspaceCall<never, never, Body>, "workspace" | "userId" | "body">,
  id: string,
) {
  const door = yield* Door
  yield* door.commit(workspace.id, tx =>
    Effect.gen(function* () {
      const content = { name: body.name, description: body.description ?? null, metadata: body.metadata ?? {} }
      if (!(yield* upsertSystem(tx, workspace.id, id, content))) {
        return yield* apiError("ID_IN_USE", "the id is in use elsewhere")
      }
      const reason = `system ${body.name} saved`
      return { value: undefined, messages: yield* catalogChanged(tx, workspace.id, userId, { systems: [id], reason }) }
    }),
  )
  return { id, message: "System saved" }
})

const create = inWorkspace(api.createSystem, call => Effect.flatMap(freshId, id => save(call, id)))
const upsert = inWorkspace(api.upsertSystem, call => save(call, call.params.systemId))

const remove = inWorkspace(
  api.deleteSystem,
  Effect.fnUntraced(function* ({ params, workspace, userId }) {
    const door = yield* Door
    yield* door.commit(workspace.id, tx =>
      Effect.gen(function* () {
        // Read before the links go: the planner cannot see any more whom they joined.
        const members = yield* membersOf(tx, params.systemId)
        if (!(yield* deleteSystem(tx, workspace.id, params.systemId))) return yield* notFound("system")
        const changed = yield* catalogChanged(tx, workspace.id, userId, {
          systems: [params.systemId],
          deployments: members.deployments.map(each => each.id),
          environments: members.environments.map(each => each.id),
          reason: "system deleted",
        })
        const woken = yield* wake(tx, workspace.id, [environmentsSubject(workspace.id)], "a system was deleted")
        return { value: undefined, messages: [...changed, ...woken] }
      }),
    )
    return { id: params.systemId, message: "System deleted" }
  }),
)

type LinkCall = Pick<WorkspaceCall<{ readonly systemId: string }, unknown, unknown>, "params" | "workspace" | "userId">

const linkOf = ({ params, workspace }: LinkCall, kind: LinkKind, id: string): Link => ({
  workspaceId: workspace.id,
  systemId: params.systemId,
  kind,
  id,
})

const checkLink = Effect.fnUntraced(function* (link: Link) {
  if (!(yield* read(tx => hasLink(tx, link)))) return yield* notFound("link")
})

const changeLink = Effect.fnUntraced(function* (call: LinkCall, link: Link, change: "add" | "remove") {
  const door = yield* Door
  yield* door.commit(link.workspaceId, tx =>
    Effect.gen(function* () {
      if (change === "add") {
        const added = yield* addLink(tx, link)
        if (added === "missing") return yield* notFound(`system or ${link.kind}`)
        if (added === "unchanged") return { value: undefined, messages: [] }
      } else if (!(yield* removeLink(tx, link))) return yield* notFound("link")
      const reason = `${link.kind} ${change === "add" ? "put into" : "taken out of"} a system`
      const changed = yield* catalogChanged(tx, link.workspaceId, call.userId, {
        systems: [link.systemId],
        [`${link.kind}s`]: [link.id],
        reason,
      })
      const subjects = link.kind === "environment" ? [environmentsSubject(link.workspaceId)] : []
      return { value: undefined, messages: [...changed, ...(yield* wake(tx, link.workspaceId, subjects, reason))] }
    }),
  )
  return { id: link.systemId, message: change === "add" ? "Linked" : "Unlinked" }
})

const deploymentLink = (call: LinkCall & { readonly params: { readonly deploymentId: string } }) =>
  linkOf(call, "deployment", call.params.deploymentId)
const environmentLink = (call: LinkCall & { readonly params: { readonly environmentId: string } }) =>
  linkOf(call, "environment", call.params.environmentId)

export const systemRoutes = [
  list,
  create,
  get,
  upsert,
  remove,
  inWorkspace(api.getDeploymentLink, call => Effect.as(checkLink(deploymentLink(call)), linkAnswer(call.params))),
  inWorkspace(api.linkDeployment, call => changeLink(call, deploymentLink(call), "add")),
  inWorkspace(api.unlinkDeployment, call => changeLink(call, deploymentLink(call), "remove")),
  inWorkspace(api.getEnvironmentLink, call => Effect.as(checkLink(environmentLink(call)), linkAnswer(call.params))),
  inWorkspace(api.linkEnvironment, call => changeLink(call, environmentLink(call), "add")),
  inWorkspace(api.unlinkEnvironment, call => changeLink(call, environmentLink(call), "remove")),
]

/** The ids of the path, without the workspace's. */
function linkAnswer<P extends { readonly workspaceId: string }>({ workspaceId: _, ...ids }: P): Omit<P, "workspaceId"> {
  return ids
}
