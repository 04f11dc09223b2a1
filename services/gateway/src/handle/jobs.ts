/** Jobs, and what is reported about them over HTTP. The job's actor decides; the caller waits for its word, bounded. */
import { Door } from "@sluice/actor/door"
import type { Tx } from "@sluice/actor/ports"
import { rangeOf } from "@sluice/api/common"
import { apiError, notFound } from "@sluice/api/error"
import type { Job, JobWithRelease } from "@sluice/api/job"
import * as api from "@sluice/api/jobs"
import type { WorkspaceId } from "@sluice/domain/ids"
import type { AgentReported } from "@sluice/protocol/job"
import { findJob, type JobRow, listJobs } from "@sluice/store/jobs-read"
import { Effect } from "effect"
import { loadReleases } from "../load-releases.ts"
import { pageOf, read } from "../read.ts"
import { receiptWaitMilliseconds } from "../receipt.ts"
import { present } from "../render.ts"
import { renderJob } from "../render-job.ts"
import { inWorkspace } from "../route.ts"

const get = inWorkspace(
  api.getJob,
  Effect.fnUntraced(function* ({ params, workspace }) {
    const row = yield* read(tx => findJob(tx, workspace.id, params.jobId))
    return row === undefined ? yield* notFound("job") : renderJob(row, { withContext: true })
  }),
)

const list = inWorkspace(api.listJobs, ({ query, workspace }) => {
  const window = rangeOf(query)
  return read(
    Effect.fnUntraced(function* (tx) {
      const rows = yield* listJobs(tx, { workspaceId: workspace.id }, window)
      const joined = yield* withReleases(tx, workspace.id, rows.items)
      // Some clients read the job's fields at the top, one slices `job.id`: both find what they look for.
      return pageOf({ items: joined, total: rows.total }, window, each => ({ ...each.job, ...each }))
    }),
  )
})

const getWithRelease = inWorkspace(api.getJobWithRelease, ({ params, workspace }) =>
  read(
    Effect.fnUntraced(function* (tx) {
      const row = yield* findJob(tx, workspace.id, params.jobId)
      const [joined] = row === undefined ? [] : yield* withReleases(tx, workspace.id, [row], true)
      return joined ?? (yield* notFound("job"))
    }),
  ),
)

/** The entities are those the job was dispatched with: its dispatch context holds them as they were. */
const withReleases = Effect.fnUntraced(function* (
  tx: Tx,
  workspaceId: WorkspaceId,
  rows: ReadonlyArray<JobRow>,
  withContext = false,
) {
  const releases = yield* loadReleases(
    tx,
    workspaceId,
    rows.map(row => row.releaseId),
  )
  return rows.flatMap(row => {
    const release = releases.get(row.releaseId)
    if (release === undefined) return []
    const job: Job = renderJob(row, { withContext })
    const { deployment, environment, resource } = row.dispatchContext
    return [{ job, release, ...present({ deployment, environment, resource }) } as unknown as JobWithRelease]
  })
})

const setStatus = inWorkspace(api.setJobStatus, ({ params, body, workspace, userId }) =>
  report(workspace.id, { ...fieldsOf(body), jobId: params.jobId, reportedBy: userId }),
)

const reportJob = inWorkspace(api.reportJob, ({ params, body, workspace, userId }) =>
  report(workspace.id, {
    ...fieldsOf(body),
    attempt: body.attempt,
    ...present({ occurredAt: body.occurredAt }),
    jobId: params.jobId,
    reportedBy: userId,
  }),
)

type Sent = Pick<AgentReported, "status" | "message" | "externalId" | "links" | "progress" | "outputs">
const fieldsOf = ({ status, message, externalId, links, progress, outputs }: Sent) => ({
  status,
  ...present({ message, externalId, links, progress, outputs }),
})

const report = Effect.fnUntraced(function* (workspaceId: WorkspaceId, body: AgentReported) {
  const door = yield* Door
  const { receipt } = yield* door.ask(workspaceId, receiptWaitMilliseconds, tx =>
    Effect.gen(function* () {
      const job = yield* findJob(tx, workspaceId, body.jobId)
      if (job === undefined) return yield* notFound("job")
      return {
        value: undefined,
        message: { kind: "job" as const, workspaceId, key: job.jobSetId, type: "AgentReported", body },
      }
    }),
  )
  if (receipt._tag === "Refused") return yield* apiError("REFUSED", receipt.reason)
  return { id: body.jobId, message: receipt._tag === "Applied" ? "Report applied" : "Report accepted" }
})

export const jobRoutes = [list, get, getWithRelease, setStatus, reportJob]
