import { describe, expect, it } from "vitest"
import type { AgentJob } from "../src/driver.ts"
import { answerToCancel, answerToProbe, workOf, workOutlivesDeadline, workTimeToLive } from "../src/nats-agent.ts"
import { agentTypes } from "../src/registry.ts"

const now = Date.UTC(2026, 0, 5, 10)
const job = (rest: Partial<AgentJob> = {}): AgentJob => ({
  workspaceId: "w",
  jobAgentId: "a",
  jobSetId: "s",
  jobId: "j",
  targetKey: "t",
  try: 1,
  attempt: 2,
  confirmed: true,
  config: { region: "eu" },
  dispatchContext: { version: { tag: "1.0.0" } },
  createdAt: now,
  deadline: now + 60_000,
  now,
  ...rest,
})

describe("work for a NATS agent", () => {
  it("says everything the agent needs: job, fence, deadline, where to report, config and context", () => {
    expect(workOf(job(), "sluice.agent.w.a.report")).toEqual({
      schemaVersion: 1,
      jobId: "j",
      attempt: 2,
      workspaceId: "w",
      jobAgentId: "a",
      deadline: "2026-01-05T10:01:00.000Z",
      reportSubject: "sluice.agent.w.a.report",
      jobAgentConfig: { region: "eu" },
      dispatchContext: { version: { tag: "1.0.0" } },
    })
  })

  it("outlives its deadline long enough for the cancel at the deadline to find it", () => {
    expect(workTimeToLive(job())).toBe(60_000 + workOutlivesDeadline)
    expect(workTimeToLive(job({ now: now + 59_999.4 })) % 1_000).toBe(0)
    expect(workTimeToLive(job({ now: now + 10_000_000 }))).toBe(1_000)
  })
})

describe("what is said about a job of a NATS agent", () => {
  it("is that it was cancelled only when no instance ever got it", () => {
    expect(answerToCancel("untaken")).toMatchObject({ _tag: "Ended", status: "cancelled" })
    expect(answerToCancel("taken")._tag).toBe("Running")
    expect(answerToCancel("absent")._tag).toBe("Running")
  })

  it("is never `unknown`, since the broker forgets work that was acknowledged", () => {
    const answers = [true, false].flatMap(present =>
      [true, false].map(confirmed => answerToProbe(job({ confirmed }), present)._tag),
    )
    expect(answers).toEqual(["Running", "Running", "Running", "Unsupported"])
  })
})

describe("the registry of agent types", () => {
  it("names each type once", () => {
    const types = agentTypes.map(each => each.type)
    expect(new Set(types).size).toBe(types.length)
  })
})
