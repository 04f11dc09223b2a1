/** The `call-agent` activity: what each outcome means for the queue and for the job that asked. */
import { defineActivity, type WorkItem } from "@sluice/activity/definition"
import { CallAgent } from "@sluice/protocol/activities"
import type { Outgoing } from "@sluice/protocol/envelope"
import type { AgentAnswered } from "@sluice/protocol/job"
import { Schedule } from "effect"
import { handle, type Told } from "./handle.ts"

/** Calls in flight per process: agents answer in milliseconds to seconds, and a slow one must not stand before the rest. */
const concurrency = 32
/**
 * Longest one call may take, milliseconds. The dispatcher asks about an unanswered hand-over only after this has surely
 * passed for the last one made (`dispatchValidFor` plus this is below `handOverPatience`).
 */
const timeLimit = 30_000

/** Doubling from half a second up to half a minute, jittered; the dispatcher's own timers bound the whole. */
const schedule = Schedule.min([Schedule.exponential("500 millis"), Schedule.spaced("30 seconds")]).pipe(
  Schedule.jittered,
)

export const callAgent = defineActivity({
  name: "call-agent",
  payload: CallAgent,
  concurrency,
  timeLimit,
  run: handle,
  outcomes: {
    Done: (work, told) => answers(work, told),
    StillRunning: (work, told) => answers(work, told),
    // Nothing was learned, and the job's own timer asks again.
    Transient: { schedule, exhausted: () => [] },
    Permanent: (work, told) => answers(work, told),
  },
})

const answers = (work: WorkItem<CallAgent>, told: Told): ReadonlyArray<Outgoing> => {
  const { jobId, jobSetId, attempt, call } = work.payload
  const body: AgentAnswered = { jobId, attempt, call, outcome: told.answer }
  return Array.from({ length: told.times }, () => ({
    kind: "job" as const,
    workspaceId: work.workspaceId,
    key: jobSetId,
    type: "AgentAnswered",
    body,
  }))
}
