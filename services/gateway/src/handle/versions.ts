/** Versions and their approvals. What can stop a start (a status, a rejection) leaves its mark on the workspace's stop row. */
import { Door } from "@sluice/actor/door"
import { rangeOf } from "@sluice/api/common"
import { apiError, notFound } from "@sluice/api/error"
import * as api from "@sluice/api/versions"
import type { DeploymentId, EnvironmentId } from "@sluice/domain/ids"
import { stopGuard } from "@sluice/rules/stop-guard"
import { approvalSubject } from "@sluice/rules/wait-subject"
import { listApprovals, upsertApprovals } from "@sluice/store/approvals"
import { findDeployment } from "@sluice/store/deployments"
import { bumpGuard } from "@sluice/store/door-writes"
import { environmentsOfDeployment, knownEnvironments } from "@sluice/store/environments"
import { allVersions, findVersion, listVersions, updateVersion, type VersionRow } from "@sluice/store/versions"
import { Effect } from "effect"
import { filterBy } from "../cel.ts"
import { freshId } from "../fresh-id.ts"
import { happened, planner, wake } from "../messages.ts"
import { duplicateTag, publishVersion, type SentVersion } from "../publish-version.ts"
import { pageOf, read, windowOf } from "../read.ts"
import { isUuid } from "../read-request.ts"
import { present, renderVersion } from "../render.ts"
import { inWorkspace } from "../route.ts"

const renderListed = (row: VersionRow) => ({
  ...renderVersion(row),
  dependencies: row.dependencies as { readonly [id: string]: { readonly versionSelector: string } },
})

const list = inWorkspace(api.listVersions, ({ params, query, workspace }) => {
  const window = rangeOf(query)
  const scope = { workspaceId: workspace.id, deploymentId: params.deploymentId, order: query.order ?? "desc" }
  const { cel } = query
  return read(
    Effect.fnUntraced(function* (tx) {
      const deployment = yield* findDeployment(tx, workspace.id, { id: params.deploymentId })
      if (deployment === undefined) return yield* notFound("deployment")
      if (cel === undefined) return pageOf(yield* listVersions(tx, scope, window), window, renderListed)
      const kept = yield* filterBy("versionFilter", cel, yield* allVersions(tx, scope), {
        entity: renderListed,
        onFailed: "skip",
      })
      return pageOf(windowOf(kept, window), window, renderListed)
    }),
  )
})

const create = inWorkspace(
  api.createVersion,
  Effect.fnUntraced(function* ({ params, body, workspace, userId }) {
    const door = yield* Door
    const id = yield* freshId
    const { value } = yield* door.commit(workspace.id, tx =>
      Effect.gen(function* () {
        const deployment = yield* findDeployment(tx, workspace.id, { id: params.deploymentId })
        if (deployment === undefined) return yield* notFound("deployment")
        const published = yield* publishVersion(tx, {
          id,
          workspaceId: workspace.id,
          deploymentId: deployment.id,
          sent: body satisfies SentVersion,
          actor: userId,
          createdBy: userId,
        })
        return { value: published, messages: published.messages }
      }),
    )
    return value.outcome === "created" ? renderVersion(value.version) : yield* duplicateTag(value)
  }),
)

const update = inWorkspace(
  api.updateVersion,
  Effect.fnUntraced(function* ({ params, body, workspace, userId }) {
    const { tag, name, status, config, jobAgentConfig, metadata } = body
    const change = present({ tag, name, status, config, jobAgentConfig, metadata })
    const door = yield* Door
    const { value } = yield* door.commit(workspace.id, tx =>
      Effect.gen(function* () {
        const row = yield* updateVersion(tx, workspace.id, params.deploymentVersionId, change)
        if (row === undefined) return yield* notFound("version")
        if (status !== undefined) yield* bumpGuard(tx, stopGuard(workspace.id))
        const event = yield* happened(tx, workspace.id, {
          type: "version.updated",
          subject: row.id,
          actor: userId,
          data: { versionId: row.id, deploymentId: row.deploymentId, tag: row.tag, status: row.status },
        })
        const changed = planner(workspace.id, {
          versions: [{ versionId: row.id, deploymentId: row.deploymentId }],
          reason: status === undefined ? `version ${row.tag} changed` : `version ${row.tag} is ${status}`,
        })
        return { value: row, messages: [changed, event] }
      }),
    )
    return renderVersion(value)
  }),
)

const approve = inWorkspace(
  api.recordApproval,
  Effect.fnUntraced(function* ({ params, body, workspace, userId }) {
    const door = yield* Door
    const given = [...new Set(body.environmentIds.map(id => id.toLowerCase()))]
    const malformed = given.find(id => !isUuid(id))
    if (malformed !== undefined) return yield* apiError("INVALID_ID", `environmentIds: ${malformed} is not a UUID`)
    yield* door.commit(workspace.id, tx =>
      Effect.gen(function* () {
        const version = yield* findVersion(tx, workspace.id, params.deploymentVersionId)
        if (version === undefined) return yield* notFound("version")
        const { deploymentId } = version
        const environmentIds =
          given.length === 0 ? yield* environmentsOfDeployment(tx, workspace.id, deploymentId) : given
        const known = yield* knownEnvironments(tx, workspace.id, environmentIds)
        const unknown = environmentIds.find(id => !known.has(id))
        if (unknown !== undefined) return yield* notFound(`environment ${unknown}`)
        const { status } = body
        const reason = body.reason ?? null
        const record = { workspaceId: workspace.id, versionId: version.id, userId, status, reason, environmentIds }
        yield* upsertApprovals(tx, record)
        yield* bumpGuard(tx, stopGuard(workspace.id))
        const subjects = environmentIds.map(id =>
          approvalSubject({ deploymentId: deploymentId as DeploymentId, environmentId: id as EnvironmentId }),
        )
        const woken = yield* wake(tx, workspace.id, subjects, `version ${version.tag} ${status} by a person`)
        const event = yield* happened(tx, workspace.id, {
          type: "approval.recorded",
          subject: version.id,
          actor: userId,
          data: { versionId: version.id, deploymentId, tag: version.tag, status, environmentIds, reason },
        })
        return { value: undefined, messages: [...woken, event] }
      }),
    )
    return { id: params.deploymentVersionId, message: `Version ${body.status}` }
  }),
)

const approvals = inWorkspace(api.listApprovals, ({ params, workspace }) =>
  read(
    Effect.fnUntraced(function* (tx) {
      if ((yield* findVersion(tx, workspace.id, params.deploymentVersionId)) === undefined) {
        return yield* notFound("version")
      }
      const rows = yield* listApprovals(tx, workspace.id, params.deploymentVersionId)
      return {
        items: rows.map(row => ({
          versionId: row.versionId,
          environmentId: row.environmentId,
          userId: row.userId,
          status: row.status,
          createdAt: row.createdAt.toISOString(),
          ...present({ reason: row.reason }),
        })),
      }
    }),
  ),
)

export const versionRoutes = [list, create, update, approve, approvals]
