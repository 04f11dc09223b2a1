import { describe, expect, it } from "vitest"
import { foldChanges, type JobChange } from "../src/job-projections.ts"

const change = (id: string, rest: Partial<JobChange>): JobChange => ({
  _tag: "Changed",
  id,
  workspaceId: "w",
  status: "inProgress",
  attempt: 1,
  ignoredReports: 0,
  updatedAt: 0,
  ...rest,
})

describe("several changes of one job in a batch", () => {
  it("fold into one: the last word counts, links add up, the first start stays", () => {
    const folded = foldChanges([
      change("a", { message: "one", links: { x: "1" }, startedAt: 5 }),
      change("b", {}),
      change("a", { status: "failure", reason: "deadline", links: { y: "2" }, startedAt: 9 }),
    ])
    expect(folded).toHaveLength(2)
    expect(folded[0]).toMatchObject({
      status: "failure",
      message: "one",
      reason: "deadline",
      startedAt: 5,
      links: { x: "1", y: "2" },
    })
  })
})
