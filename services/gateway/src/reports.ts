/**
 * Reports of NATS agents. The subject says which agent speaks, by the permissions of its login; a report about another
 * agent's job is refused. What it means is the job actor's to decide: here it becomes one numbered message, then the ack.
 */
import { Door } from "@sluice/actor/door"
import { Bus, Storage, type StorageError, type Work } from "@sluice/actor/ports"
import type { WorkspaceId } from "@sluice/domain/ids"
import { AgentReport } from "@sluice/protocol/intake"
import type { AgentReported } from "@sluice/protocol/job"
import { consumers, readAgentReportSubject, streams } from "@sluice/protocol/subjects"
import { findJob } from "@sluice/store/jobs-read"
import { Effect, Result, Schema } from "effect"
import { isUuid } from "./read-request.ts"
import { unstorable } from "./storable.ts"

/**
 * As many as may share one commit. Two reports of one job may swap, which their attempt and the terminal statuses make
 * harmless.
 */
const concurrency = 64
const retryAfterMilliseconds = 1_000

const decodeReport = Schema.decodeUnknownResult(AgentReport)
const decoder = new TextDecoder()

export const consumeReports = Effect.gen(function* () {
  const bus = yield* Bus
  const context = yield* Effect.context<Door | Storage>()
  yield* bus.consume({
    stream: streams(bus.namespace).agentReports(),
    consumer: consumers.agentReports(),
    concurrency,
    handle: work => Effect.provideContext(handle(work), context),
  })
})

const handle = (work: Work): Effect.Effect<void, never, Door | Storage> =>
  record(work).pipe(
    Effect.flatMap(refused =>
      refused === undefined
        ? work.ack
        : Effect.andThen(
            Effect.logWarning("an agent's report was refused", { subject: work.subject, refused }),
            work.terminate(refused),
          ),
    ),
    Effect.catch(error =>
      error.fault === "message"
        ? work.terminate(error.message)
        : Effect.andThen(
            Effect.logWarning("an agent's report has to wait", error.message),
            work.retry(retryAfterMilliseconds),
          ),
    ),
  )

const read = (data: Uint8Array): Result.Result<AgentReport, string> =>
  Result.try({ try: (): unknown => JSON.parse(decoder.decode(data)), catch: () => "not JSON" }).pipe(
    Result.flatMap(json => {
      const fault = unstorable(json, "report")
      return fault === undefined ? Result.mapError(decodeReport(json), error => error.message) : Result.fail(fault)
    }),
  )

/** The reason it is refused, or nothing once it is committed. */
const record = Effect.fnUntraced(function* (
  work: Work,
): Effect.fn.Return<string | undefined, StorageError, Door | Storage> {
  const { workspaceId, jobAgentId } = readAgentReportSubject(work.subject)
  const decoded = read(work.data)
  if (Result.isFailure(decoded)) return `it does not decode: ${decoded.failure}`
  const report = decoded.success
  if (!isUuid(report.jobId) || !isUuid(workspaceId)) return "it names no job"
  const job = yield* findJob(yield* Storage, workspaceId as WorkspaceId, report.jobId)
  if (job === undefined || job.jobAgentId !== jobAgentId) return `job ${report.jobId} is not this agent's`
  const body: AgentReported = { ...report, reportedBy: jobAgentId }
  const door = yield* Door
  yield* door.post(workspaceId, [{ kind: "job", workspaceId, key: job.jobSetId, type: "AgentReported", body }])
  return undefined
})
