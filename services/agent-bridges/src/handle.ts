/** One call to one agent, in a straight line: read the job, ask whether the call still counts, make it, name the outcome. */
import type { Outcome, WorkItem } from "@sluice/activity/definition"
import { type Bus, Storage, type StorageError } from "@sluice/actor/ports"
import type { AgentAnswer, AgentJob, CallResult } from "@sluice/agents/driver"
import type { CallAgent } from "@sluice/protocol/activities"
import { type CallRow, loadCall } from "@sluice/store/job-facts"
import { Effect } from "effect"
import type { AgentStreams } from "./agent-streams.ts"
import { type Driver, drivers } from "./drivers.ts"
import { mayCall } from "./may-call.ts"

/** An answer, and how often it is told: never when nobody wants it, twice by a simulated agent that repeats itself. */
export interface Told {
  readonly answer: AgentAnswer
  readonly times: number
}
export type CallOutcome = Outcome<Told, Told, Told>

export const handle = Effect.fn("callAgent")(
  function* (work: WorkItem<CallAgent>): Effect.fn.Return<CallOutcome, StorageError, Storage | Bus | AgentStreams> {
    const storage = yield* Storage
    const { payload } = work
    const row = yield* loadCall(storage, work.workspaceId, payload.jobId)
    if (row === undefined) return permanent(`job ${payload.jobId} was not found`)
    const driver = drivers.find(known => known.type === payload.agentType)
    if (driver === undefined) return permanent(`no bridge knows job agents of type "${payload.agentType}"`)
    const may = mayCall(work, row, driver)
    switch (may._tag) {
      case "Silent":
        return { _tag: "Done", result: { answer: { _tag: "Unsupported", message: "nobody asks any more" }, times: 0 } }
      case "NotHandedOver":
        return permanent(may.message)
      case "MayBeHandedOver":
        return outcomeOf({ _tag: "Running", probeAfterMs: null, message: may.message }, 1)
      case "TooLate":
        return outcomeOf({ _tag: "Unsupported", message: may.message }, 1)
      case "Call": {
        const job = agentJob(work, row)
        const result = yield* call(driver, job, payload.call)
        return outcomeOf(result, result._tag === "Ended" ? (driver.repeats?.(job) ?? 1) : 1)
      }
    }
  },
  Effect.catch(error => Effect.succeed<CallOutcome>({ _tag: "Transient", reason: error.message })),
)

const call = (driver: Driver, job: AgentJob, what: CallAgent["call"]) => driver[what](job)

const outcomeOf = (result: CallResult, times: number): CallOutcome => {
  switch (result._tag) {
    case "Transient":
      return result.retryAfterMs === undefined
        ? { _tag: "Transient", reason: result.reason }
        : { _tag: "Transient", reason: result.reason, retryAfter: result.retryAfterMs }
    case "Running":
      return { _tag: "StillRunning", result: { answer: result, times } }
    case "Rejected":
      return { _tag: "Permanent", result: { answer: result, times } }
    case "Ended":
    case "Unknown":
    case "Unsupported":
      return { _tag: "Done", result: { answer: result, times } }
  }
}

const permanent = (message: string): CallOutcome => outcomeOf({ _tag: "Rejected", message }, 1)

const agentJob = (work: WorkItem<CallAgent>, row: CallRow): AgentJob => ({
  workspaceId: work.workspaceId,
  jobAgentId: work.payload.jobAgentId,
  jobSetId: row.jobSetId,
  jobId: work.payload.jobId,
  targetKey: row.targetKey,
  try: row.try,
  attempt: row.attempt,
  confirmed: row.status !== "pending",
  config: row.config,
  dispatchContext: row.dispatchContext,
  ...(row.externalId === null ? {} : { externalId: row.externalId }),
  createdAt: row.createdAt,
  deadline: row.deadline,
  now: row.now,
})
