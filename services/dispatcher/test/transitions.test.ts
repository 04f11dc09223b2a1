import type { Input } from "@sluice/actor/definition"
import { describe, expect, it } from "vitest"
import { decide, type JobMessage } from "../src/decide.ts"
import { evolve } from "../src/evolve.ts"
import { findJob, type JobPhase, jobPhases } from "../src/state.ts"
import { type Cell, type InputName, transitions } from "../src/transitions.ts"
import {
  agentId,
  answered,
  cancelled,
  jobId,
  jobs,
  message,
  moment,
  other,
  reported,
  setOf,
  timer,
} from "./fixtures.ts"

const running = { _tag: "Running", probeAfterMs: null } as const
const ended = { _tag: "Ended", status: "successful" } as const
const unknown = { _tag: "Unknown", message: "no such run" } as const
const rejected = { _tag: "Rejected", message: "no" } as const
const unsupported = { _tag: "Unsupported", message: "cannot" } as const
const claim = (jobAgentId: string) => message({ type: "ClaimJob", body: { jobId, jobAgentId } })

const inputs: Readonly<Record<InputName, Input<JobMessage>>> = {
  "report running": reported({ status: "inProgress" }),
  "report actionRequired": reported({ status: "actionRequired" }),
  "report successful": reported({ status: "successful" }),
  "report failure": reported({ status: "failure" }),
  "report pending": reported({ status: "pending" }),
  "report of no attempt": message({ type: "AgentReported", body: { jobId, status: "successful" } }),
  "report of older attempt": reported({ attempt: 1 }),
  "report of newer attempt": reported({ attempt: 3 }),
  claim: claim(agentId),
  "claim of another agent": claim("somebody else"),
  cancel: cancelled(),
  "dispatch: Running": answered("dispatch", running),
  "dispatch: Ended": answered("dispatch", ended),
  "dispatch: Unknown": answered("dispatch", unknown),
  "dispatch: Rejected": answered("dispatch", rejected),
  "dispatch: Unsupported": answered("dispatch", unsupported),
  "probe: Running": answered("probe", running),
  "probe: Ended": answered("probe", ended),
  "probe: Unknown": answered("probe", unknown),
  "probe: Rejected": answered("probe", rejected),
  "probe: Unsupported": answered("probe", unsupported),
  "cancel: Running": answered("cancel", running),
  "cancel: Ended": answered("cancel", ended),
  "cancel: Unknown": answered("cancel", unknown),
  "cancel: Rejected": answered("cancel", rejected),
  "cancel: Unsupported": answered("cancel", unsupported),
  "older answer: Running": answered("probe", running, 1),
  "older answer: Ended": answered("probe", ended, 1),
  "timer probe": timer(`probe:${jobId}`),
  "timer deadline": timer(`deadline:${jobId}`),
  "timer patience": timer(`patience:${jobId}`),
  "timer proceed": timer(`proceed:${jobId}`),
}

/** What `decide` made of it, in the words of the table. */
const cellOf = (phase: JobPhase, input: Input<JobMessage>): Cell => {
  const before = setOf(jobs[phase], other)
  const decision = decide(before, input, undefined, moment())
  if (decision._tag === "Refused") return "refused"
  // `cancel` reaches the whole set; the table is about one job.
  const events = decision.events.filter(event => "jobId" in event && event.jobId === jobId)
  const [event] = events
  if (event === undefined) return "nothing"
  expect(events).toHaveLength(1)
  const after = findJob(
    decision.events.reduce((state, each) => evolve(state, each, moment()), before),
    jobId,
  )
  if (event._tag === "ReportIgnored") {
    expect(after).toEqual({ ...jobs[phase], ignoredReports: 1 })
    return "ignored"
  }
  if (event._tag === "JobNoted" || event._tag === "JobAsked" || event._tag === "JobOverdue") {
    expect(after?.phase).toBe(phase)
    return ({ JobNoted: "noted", JobAsked: "asked", JobOverdue: "overdue" } as const)[event._tag]
  }
  return after?.phase ?? "nothing"
}

describe("the transition table of a job", () => {
  for (const phase of jobPhases) {
    it(`says what happens to a job that is ${phase}, whatever comes`, () => {
      const expected = Object.fromEntries(Object.entries(transitions).map(([name, row]) => [name, row[phase]]))
      const actual = Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, cellOf(phase, input)]))
      expect(actual).toEqual(expected)
    })
  }

  it("has no way out of Ended", () => {
    for (const row of Object.values(transitions)) expect(["ignored", "nothing", "refused"]).toContain(row.Ended)
  })
})
