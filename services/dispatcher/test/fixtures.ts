/** Jobs in every phase, and inputs to them, as short as a test can say it. */
import type { Input, Moment } from "@sluice/actor/definition"
import type { AgentAnswered, AgentReported } from "@sluice/protocol/job"
import type { JobMessage } from "../src/decide.ts"
import type { StartFacts } from "../src/start.ts"
import type { ActiveJob, Job, JobPhase, JobSet } from "../src/state.ts"

export const jobId = "01990000-0000-7000-8000-00000000000a"
export const agentId = "01990000-0000-7000-8000-00000000000b"
export const jobSetId = "01990000-0000-7000-8000-00000000000c"
export const releaseId = "01990000-0000-7000-8000-00000000000d"
export const workspaceId = "01990000-0000-7000-8000-00000000000e"
export const start = Date.UTC(2026, 0, 5, 10)
export const second = 1_000

/** Ids are counted, so a test can name them. */
export const moment = (now = start): Moment => {
  let count = 0
  return {
    workspaceId,
    key: jobSetId,
    now,
    id: () => `01990000-0000-7000-9000-${(++count).toString().padStart(12, "0")}`,
  }
}

const common = {
  jobId,
  agentId,
  agentType: "test-runner",
  delivery: "push",
  attempt: 2,
  deadline: start + 600 * second,
  ignoredReports: 0,
} as const
const cause = { kind: "deadline", words: "the job was not over by its deadline" } as const
const running = { ...common, status: "inProgress", lastSeenAt: start } as const

/** One job of each phase, at attempt 2. */
export const jobs = {
  Queued: { ...common, phase: "Queued", agentType: "http-pull" },
  HandedOver: { ...common, phase: "HandedOver", handedOverAt: start },
  Running: { ...running, phase: "Running" },
  Stopping: { ...running, phase: "Stopping", cause, outstanding: "cancel" },
  Lost: { ...running, phase: "Lost", cause },
  Ended: { phase: "Ended", jobId, agentId, attempt: 2, ignoredReports: 0, status: "skipped" },
} as const satisfies Record<JobPhase, Job>

export const setOf = (...list: ReadonlyArray<Job>): JobSet => ({
  phase: "Active",
  targetKey: "target",
  releaseId,
  versionId: "version",
  try: 1,
  purpose: "deploy",
  createdAt: start,
  jobs: list,
})

/** A second job that keeps the set from settling. */
export const other: ActiveJob = { ...jobs.Running, jobId: "01990000-0000-7000-8000-0000000000ff" }

export const message = (body: JobMessage): Input<JobMessage> => ({ _tag: "Message", id: "m", message: body })
export const timer = (name: string): Input<JobMessage> => ({ _tag: "Timer", name, payload: {} })
export const reported = (report: Partial<AgentReported>): Input<JobMessage> =>
  message({ type: "AgentReported", body: { jobId, attempt: 2, status: "successful", ...report } })
export const answered = (
  call: AgentAnswered["call"],
  outcome: AgentAnswered["outcome"],
  attempt = 2,
): Input<JobMessage> => message({ type: "AgentAnswered", body: { jobId, attempt, call, outcome } })
export const cancelled = (superseded = false): Input<JobMessage> =>
  message({ type: "CancelJobs", body: { reason: "1.1.0 goes first", ...(superseded ? { superseded } : {}) } })
export const started: Input<JobMessage> = message({
  type: "StartJobs",
  body: {
    jobSetId,
    targetKey: "target",
    releaseId,
    versionId: "version",
    try: 1,
    purpose: "deploy",
    reason: "version 1.0.0 published",
  },
})

type Found = Extract<StartFacts, { _tag: "Found" }>
export const facts = (agents: Found["agents"], rest: Partial<Found> = {}): StartFacts => ({
  _tag: "Found",
  deployment: { id: "d", name: "storefront", jobAgentConfig: {} },
  environment: { id: "e", name: "production" },
  resource: { id: "r", name: "eu-1" },
  version: { id: "v", tag: "1.0.0", jobAgentConfig: {}, metadata: { "git/commit": "abc", team: "shop" } },
  release: { id: releaseId, createdAt: "2026-01-05T10:00:00.000Z", releaseTarget: {}, variables: { replicas: 3 } },
  agents,
  ...rest,
})
export const agent = (rest: Partial<Found["agents"][number]> = {}): Found["agents"][number] => ({
  id: agentId,
  name: "runner",
  type: "test-runner",
  config: {},
  metadata: {},
  delivery: "push",
  ...rest,
})
