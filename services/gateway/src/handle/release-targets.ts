/** Release targets: recorded state, why, and history are read; a person's acts are asked of the target's actor. */
import { Door } from "@sluice/actor/door"
import { pageLimitDefault, rangeOf } from "@sluice/api/common"
import { apiError, notFound } from "@sluice/api/error"
import * as api from "@sluice/api/release-targets"
import type { WorkspaceId } from "@sluice/domain/ids"
import type { Redeploy, ReleaseQuarantine } from "@sluice/protocol/target"
import { listJobs } from "@sluice/store/jobs-read"
import { findStatuses, findTarget, listTargets } from "@sluice/store/release-targets-read"
import { pairsOf } from "@sluice/store/systems"
import { findWhy, listTargetVersions, listWhy, type WhyRow } from "@sluice/store/target-history"
import { Effect } from "effect"
import { selects } from "../cel.ts"
import { loadReleases } from "../load-releases.ts"
import { loadStates } from "../load-states.ts"
import { pageOf, read, windowOf } from "../read.ts"
import { isUuid } from "../read-request.ts"
import { receiptWaitMilliseconds } from "../receipt.ts"
import { isoTime, present, renderDeployment, renderEnvironment, renderSystem } from "../render.ts"
import { renderJob } from "../render-job.ts"
import { inWorkspace } from "../route.ts"

const states = inWorkspace(
  api.listTargetStates,
  Effect.fnUntraced(function* ({ body, query, workspace }) {
    const window = rangeOf(query)
    const { deploymentId, environmentId } = body
    if (!isUuid(deploymentId) || !isUuid(environmentId)) {
      return yield* apiError("INVALID_ID", "deploymentId and environmentId must be UUIDs")
    }
    return yield* read(
      Effect.fnUntraced(function* (tx) {
        const rows = yield* listTargets(tx, { workspaceId: workspace.id, deploymentId, environmentId }, window)
        const keys = rows.items.map(row => row.key)
        const loaded = yield* loadStates(tx, workspace.id, keys)
        return pageOf(rows, window, ({ key, resourceId, environmentId, deploymentId }) => ({
          releaseTarget: { resourceId, environmentId, deploymentId },
          state: loaded.get(key) ?? {},
        }))
      }),
    )
  }),
)

const preview = inWorkspace(api.previewTargets, ({ body, query, workspace, userAgent }) => {
  const window = rangeOf(query)
  const resource = { ...body, id: "", workspaceId: workspace.id }
  return read(
    Effect.fnUntraced(function* (tx) {
      const picked = new Map<string, boolean>()
      const picks = (selector: string | null): boolean => {
        const known = picked.get(selector ?? "false") ?? selects(selector, resource)
        picked.set(selector ?? "false", known)
        return known
      }
      const pairs = (yield* pairsOf(tx, workspace.id)).filter(
        pair => picks(pair.deployment.resourceSelector) && picks(pair.environment.resourceSelector),
      )
      return pageOf(windowOf(pairs, window), window, pair => ({
        system: renderSystem(pair.system),
        deployment: renderDeployment(pair.deployment, userAgent),
        environment: renderEnvironment(pair.environment),
      }))
    }),
  )
})

const state = inWorkspace(api.getTargetState, ({ params, workspace }) =>
  Effect.map(
    read(tx => loadStates(tx, workspace.id, [params.releaseTargetKey])),
    loaded => loaded.get(params.releaseTargetKey) ?? {},
  ),
)

const desired = inWorkspace(api.getDesiredRelease, ({ params, workspace }) =>
  read(
    Effect.fnUntraced(function* (tx) {
      const statuses = yield* findStatuses(tx, workspace.id, [params.releaseTargetKey])
      const id = statuses.get(params.releaseTargetKey)?.desiredReleaseId ?? ""
      const desiredRelease = id === "" ? undefined : (yield* loadReleases(tx, workspace.id, [id])).get(id)
      return desiredRelease === undefined ? yield* notFound("desired release") : { desiredRelease }
    }),
  ),
)

const jobs = inWorkspace(api.listTargetJobs, ({ params, query, workspace }) => {
  const window = rangeOf(query)
  return Effect.map(
    read(tx => listJobs(tx, { workspaceId: workspace.id, targetKey: params.releaseTargetKey }, window)),
    rows => pageOf(rows, window, row => renderJob(row, { withContext: false })),
  )
})

const release = inWorkspace(
  api.getRelease,
  Effect.fnUntraced(function* ({ params, workspace }) {
    const loaded = yield* read(tx => loadReleases(tx, workspace.id, [params.releaseId]))
    return loaded.get(params.releaseId) ?? (yield* notFound("release"))
  }),
)

const renderWhy = (row: WhyRow) => ({
  sequence: row.sequence,
  at: isoTime(row.at),
  phase: row.phase,
  answer: row.answer,
  ...present({ desiredVersionId: row.desiredVersionId }),
})

const why = inWorkspace(
  api.getWhy,
  Effect.fnUntraced(function* ({ params, query, workspace }) {
    const at = query.at === undefined ? undefined : Date.parse(query.at)
    if (Number.isNaN(at)) return yield* apiError("BAD_REQUEST", "query.at: not a date and time")
    if (query.versionId !== undefined && !isUuid(query.versionId)) {
      return yield* apiError("INVALID_ID", "query.versionId: must be a UUID")
    }
    const versionId = query.versionId?.toLowerCase()
    const question = { workspaceId: workspace.id, key: params.releaseTargetKey, ...present({ at, versionId }) }
    const row = yield* read(tx => findWhy(tx, question))
    return row === undefined ? yield* notFound("answer") : renderWhy(row)
  }),
)

/** A history names this many versions: the newest ones are what people ask about. */
const historyVersionsMax = 100

const history = inWorkspace(
  api.getHistory,
  Effect.fnUntraced(function* ({ params, query, workspace }) {
    const limit = query.limit ?? pageLimitDefault
    const before = query.cursor === undefined ? undefined : Number(query.cursor)
    if (before !== undefined && !Number.isSafeInteger(before)) {
      return yield* apiError("BAD_REQUEST", "query.cursor: not one of ours")
    }
    const scope = { workspaceId: workspace.id, key: params.releaseTargetKey, ...present({ before }) }
    const { rows, versions } = yield* read(tx =>
      Effect.all({
        // One more than asked for tells whether there is a next page.
        rows: listWhy(tx, scope, limit + 1),
        versions: listTargetVersions(tx, workspace.id, params.releaseTargetKey, historyVersionsMax),
      }),
    )
    const items = rows.slice(0, limit)
    const nextCursor = rows.length > limit ? String(items.at(-1)?.sequence) : undefined
    return {
      items: items.map(renderWhy),
      ...present({ nextCursor }),
      versions: versions.map(each => ({
        versionId: each.versionId,
        verification: each.verification,
        ...present({
          tag: each.tag,
          startedAt: timeOf(each.startedAt),
          verifiedAt: timeOf(each.verifiedAt),
          settledAt: timeOf(each.settledAt),
          failedAt: timeOf(each.failedAt),
          quarantinedAt: timeOf(each.quarantinedAt),
          quarantineReason: each.quarantineReason,
        }),
      })),
    }
  }),
)
const timeOf = (milliseconds: number | null) => (milliseconds === null ? undefined : isoTime(milliseconds))

const act = Effect.fnUntraced(function* (
  workspaceId: WorkspaceId,
  key: string,
  message:
    | { readonly type: "Redeploy"; readonly body: Redeploy }
    | { readonly type: "ReleaseQuarantine"; readonly body: ReleaseQuarantine },
) {
  const door = yield* Door
  const { receipt, messageId } = yield* door.ask(workspaceId, receiptWaitMilliseconds, tx =>
    Effect.gen(function* () {
      if ((yield* findTarget(tx, workspaceId, key)) === undefined) return yield* notFound("release target")
      return { value: undefined, message: { kind: "target" as const, workspaceId, key, ...message } }
    }),
  )
  if (receipt._tag === "Refused") return yield* apiError("REFUSED", receipt.reason)
  return { id: messageId, message: receipt._tag === "Applied" ? "Done" : "Accepted, not handled yet" }
})

const redeploy = inWorkspace(api.redeployTarget, ({ params, body, workspace, userId }) =>
  act(workspace.id, params.releaseTargetKey, { type: "Redeploy", body: { reason: body.reason, userId } }),
)
const releaseQuarantine = inWorkspace(
  api.releaseQuarantine,
  Effect.fnUntraced(function* ({ params, body, workspace, userId }) {
    if (body.versionId !== undefined && !isUuid(body.versionId)) {
      return yield* apiError("INVALID_ID", "versionId: must be a UUID")
    }
    return yield* act(workspace.id, params.releaseTargetKey, {
      type: "ReleaseQuarantine",
      body: { reason: body.reason, userId, ...present({ versionId: body.versionId?.toLowerCase() }) },
    })
  }),
)

export const releaseTargetRoutes = [
  states,
  preview,
  state,
  desired,
  jobs,
  release,
  why,
  history,
  redeploy,
  releaseQuarantine,
]
