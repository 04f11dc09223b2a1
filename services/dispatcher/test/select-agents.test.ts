import { describe, expect, it } from "vitest"
import { type CandidateAgent, selectAgents } from "../src/select-agents.ts"

const agent = (name: string, metadata: Record<string, string> = {}, type = "nats"): CandidateAgent => ({
  id: name,
  name,
  type,
  config: {},
  metadata,
})
const agents = [agent("eu", { region: "eu" }), agent("us", { region: "us" }), agent("plain")]
const resource = { id: "r", name: "site-1", metadata: { region: "eu" } }

const names = (selector: string | null) => {
  const selection = selectAgents(selector, resource, agents)
  return selection._tag === "Agents" ? selection.agents.map(each => each.name) : selection.message
}

describe("a job agent selector", () => {
  it("picks every agent it matches", () => {
    expect(names("jobAgent.type == 'nats'")).toEqual(["eu", "us", "plain"])
  })

  it("sees the resource, so that jobs can be routed by it", () => {
    expect(names("jobAgent.metadata['region'] == resource.metadata['region']")).toEqual(["eu"])
  })

  it("that matches nobody explains itself: how many were looked at, and who lacks which key", () => {
    const message = names("jobAgent.metadata['region'] == 'asia'")
    expect(message).toContain("site-1")
    expect(message).toContain("3 agents")
    expect(message).toContain("1 left out because a key was missing: plain (region)")
  })

  it("in a workspace without agents says so", () => {
    const selection = selectAgents("true", resource, [])
    expect(selection).toMatchObject({ _tag: "None", message: expect.stringContaining("no job agents") })
  })

  it("that is empty or missing matches nobody", () => {
    expect(names(null)).toBe("the deployment has no job agent selector")
    expect(names("  ")).toBe("the deployment has no job agent selector")
  })

  it("that cannot be read, or fails, says why", () => {
    expect(names("jobAgent.name ==")).toContain("is not valid")
    expect(names("jobAgent.name + 1 == 2")).toContain("3 left out because the selector failed")
  })
})
