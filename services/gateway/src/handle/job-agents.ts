/** Job agents, and the queue of those that pull. A claim is decided by the job's actor: of many callers one gets it. */
import { Door } from "@sluice/actor/door"
import { rangeOf } from "@sluice/api/common"
import { apiError, notFound } from "@sluice/api/error"
import * as api from "@sluice/api/job-agents"
import type { ClaimJob } from "@sluice/protocol/job"
import { deleteJobAgent, findJobAgent, listJobAgents, upsertJobAgent } from "@sluice/store/job-agents"
import { findJob, listJobs } from "@sluice/store/jobs-read"
import { Effect } from "effect"
import { catalogChanged } from "../messages.ts"
import { pageOf, read } from "../read.ts"
import { claimWaitMilliseconds } from "../receipt.ts"
import { renderJobAgent } from "../render.ts"
import { renderJob } from "../render-job.ts"
import { inWorkspace, Reply } from "../route.ts"

const list = inWorkspace(api.listJobAgents, ({ query, workspace }) => {
  const window = rangeOf(query)
  return Effect.map(
    read(tx => listJobAgents(tx, workspace.id, window)),
    rows => pageOf(rows, window, renderJobAgent),
  )
})

const get = inWorkspace(
  api.getJobAgent,
  Effect.fnUntraced(function* ({ params, workspace }) {
    const row = yield* read(tx => findJobAgent(tx, workspace.id, params.jobAgentId))
    return row === undefined ? yield* notFound("job agent") : renderJobAgent(row)
  }),
)

const upsert = inWorkspace(
  api.upsertJobAgent,
  Effect.fnUntraced(function* ({ params, body, workspace, userId }) {
    const id = params.jobAgentId
    const door = yield* Door
    yield* door.commit(workspace.id, tx =>
      Effect.gen(function* () {
        const content = { name: body.name, type: body.type, config: body.config, metadata: body.metadata ?? {} }
        if (!(yield* upsertJobAgent(tx, workspace.id, id, content))) {
          return yield* apiError("ID_IN_USE", "the id is in use elsewhere")
        }
        const reason = `job agent ${body.name} saved`
        return { value: undefined, messages: yield* catalogChanged(tx, workspace.id, userId, { agents: [id], reason }) }
      }),
    )
    return { id, message: "Job agent saved" }
  }),
)

const remove = inWorkspace(
  api.deleteJobAgent,
  Effect.fnUntraced(function* ({ params, workspace, userId }) {
    const id = params.jobAgentId
    const door = yield* Door
    yield* door.commit(workspace.id, tx =>
      Effect.gen(function* () {
        if (!(yield* deleteJobAgent(tx, workspace.id, id))) return yield* notFound("job agent")
        const reason = "job agent deleted"
        return { value: undefined, messages: yield* catalogChanged(tx, workspace.id, userId, { agents: [id], reason }) }
      }),
    )
    return { id, message: "Job agent deleted" }
  }),
)

const jobs = inWorkspace(api.listAgentJobs, ({ params, query, workspace }) => {
  const window = rangeOf(query)
  const { status } = query
  return read(
    Effect.fnUntraced(function* (tx) {
      if ((yield* findJobAgent(tx, workspace.id, params.jobAgentId)) === undefined) return yield* notFound("job agent")
      const filter = { workspaceId: workspace.id, jobAgentId: params.jobAgentId }
      const rows = yield* listJobs(tx, status === undefined ? filter : { ...filter, status }, window)
      return pageOf(rows, window, row => renderJob(row, { withContext: query.includeDispatchContext === "true" }))
    }),
  )
})

const claim = inWorkspace(
  api.claimJob,
  Effect.fnUntraced(function* ({ params: { jobAgentId, jobId }, workspace }) {
    const door = yield* Door
    const { receipt, messageId } = yield* door.ask(workspace.id, claimWaitMilliseconds, tx =>
      Effect.gen(function* () {
        const agent = yield* findJobAgent(tx, workspace.id, jobAgentId)
        const job = yield* findJob(tx, workspace.id, jobId)
        if (agent === undefined || job?.jobAgentId !== jobAgentId) return yield* notFound("job")
        // Seen as taken already: no need to trouble the actor, whose word decides among those who saw it queued.
        if (job.status !== "queued") return yield* apiError("CONFLICT", `the job is ${job.status}, not queued`)
        const body: ClaimJob = { jobId, jobAgentId }
        const { id: workspaceId } = workspace
        return { value: job, message: { kind: "job", workspaceId, key: job.jobSetId, type: "ClaimJob", body } }
      }),
    )
    if (receipt._tag === "Refused") return yield* apiError("CONFLICT", receipt.reason)
    if (receipt._tag === "Pending") return new Reply(202, { id: messageId, message: "the claim is not decided yet" })
    const claimed = yield* read(tx => findJob(tx, workspace.id, jobId))
    return claimed === undefined ? yield* notFound("job") : renderJob(claimed, { withContext: true })
  }),
)

export const jobAgentRoutes = [list, get, upsert, remove, jobs, claim]
