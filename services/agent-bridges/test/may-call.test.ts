import { agentTypes } from "@sluice/agents/registry"
import type { CallRow } from "@sluice/store/job-facts"
import { describe, expect, it } from "vitest"
import { drivers } from "../src/drivers.ts"
import { mayCall } from "../src/may-call.ts"

const now = Date.UTC(2026, 0, 5, 10)
const row = (rest: Partial<CallRow> = {}): CallRow => ({
  jobSetId: "s",
  targetKey: "t",
  try: 1,
  status: "pending",
  attempt: 2,
  reason: null,
  externalId: null,
  config: {},
  dispatchContext: {},
  createdAt: now,
  deadline: now + 600_000,
  now,
  ...rest,
})
const may = (
  call: "dispatch" | "probe" | "cancel",
  job: CallRow,
  { delivery = 1, attempt = 2, saysUnknown = false } = {},
) =>
  mayCall(
    {
      payload: { jobSetId: "s", jobId: "j", jobAgentId: "a", agentType: "nats", attempt, call, deadline: now + 80_000 },
      delivery,
    },
    job,
    { saysUnknown },
  )._tag

describe("a hand-over that comes late", () => {
  it("is made while its job waits for it", () => {
    expect(may("dispatch", row())).toBe("Call")
  })

  it("is not made for a job that ended, or was offered again under a later attempt", () => {
    expect(may("dispatch", row({ status: "cancelled" }))).toBe("Silent")
    expect(may("dispatch", row({ attempt: 3 }))).toBe("Silent")
  })

  it("is not made again once the agent was heard of", () => {
    expect(may("dispatch", row({ status: "inProgress" }))).toBe("Silent")
  })

  it("is not made for a job that is being stopped, and only the first delivery can swear that none was made", () => {
    expect(may("dispatch", row({ reason: "superseded" }))).toBe("NotHandedOver")
    expect(may("dispatch", row({ reason: "superseded" }), { delivery: 2 })).toBe("MayBeHandedOver")
  })

  it("is not made after its time, which is short where the agent may say that it does not know the job", () => {
    expect(may("dispatch", row({ now: now + 80_000 }), { saysUnknown: true })).toBe("TooLate")
    expect(may("dispatch", row({ now: now + 80_000 }))).toBe("Call")
    expect(may("dispatch", row({ now: now + 600_000 }))).toBe("TooLate")
  })
})

describe("a question", () => {
  it("is asked as long as the job is not over, stopped or not", () => {
    expect(may("probe", row({ status: "inProgress", reason: "deadline" }))).toBe("Call")
    expect(may("cancel", row({ now: now + 900_000 }))).toBe("Call")
    expect(may("probe", row({ status: "successful" }))).toBe("Silent")
  })
})

describe("the drivers", () => {
  it("are one for each agent type that is called, and none for a type that claims", () => {
    const called = agentTypes.filter(each => each.delivery === "push").map(each => each.type)
    expect(drivers.map(driver => driver.type).sort()).toEqual([...called].sort())
  })
})
