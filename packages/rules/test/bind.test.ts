import { describe, expect, it } from "vitest"
import { bind, rulesOf } from "../src/bind.ts"
import { expressions } from "./expressions.ts"
import { policy, staging, subject } from "./given.ts"

const approval = [{ anyApproval: { minApprovals: 1 } }]
const bound = (policies: Parameters<typeof bind>[0], target = subject()) => bind(policies, target, expressions)

describe("a policy", () => {
  it("binds the targets its selector matches and no others (V-PM-1)", () => {
    const production = policy(approval, { selector: `environment.name == "production"` })
    expect(bound([production]).rules).toHaveLength(1)
    expect(bound([production], subject({ environment: staging })).rules).toEqual([])
  })

  it("does not bind a target that lacks the key it asks for, not even with != (V-PM-2)", () => {
    const trap = policy(approval, { selector: `resource.metadata["region"] != "eu"` })
    expect(bound([trap])).toEqual({ rules: [], unusable: [] })
  })

  it.each([`enviroment.name == "production"`, "environment.name ==", "environment.name", ""])(
    "with the selector %j holds the target, naming the policy",
    selector => {
      expect(bound([policy(approval, { selector })])).toMatchObject({
        rules: [],
        unusable: [{ policyName: "policy b1" }],
      })
    },
  )

  it("with a broken rule holds the targets it binds, and only those", () => {
    const broken = { ruleId: "r7", message: "minApprovals is no number" }
    expect(bound([policy([], { broken })]).unusable).toMatchObject([{ ruleId: "r7", message: broken.message }])
    expect(bound([policy([], { broken, selector: "false" })]).unusable).toEqual([])
  })

  it("that is disabled neither binds nor holds", () => {
    const off = { enabled: false, selector: "(((", broken: { message: "no" } }
    expect(bound([policy(approval, off)])).toEqual({ rules: [], unusable: [] })
  })
})

describe("the rules that bind a target", () => {
  it("come by priority, then policy id, then place, in whatever order policies were read", () => {
    const a = policy([...approval, ...approval], { suffix: "b1" })
    const b = policy(approval, { suffix: "b2", priority: 5 })
    const c = policy(approval, { suffix: "b3" })
    const ids = (policies: Parameters<typeof bind>[0]) => bound(policies).rules.map(({ rule }) => rule.id)
    expect(ids([c, a, b])).toEqual(["rule-b2-0", "rule-b1-0", "rule-b1-1", "rule-b3-0"])
    expect(ids([a, b, c])).toEqual(ids([c, b, a]))
  })

  it("are one per kind of a rule object that carries several", () => {
    const both = policy([{ retry: { maxRetries: 1 }, anyApproval: { minApprovals: 1 } }])
    expect(bound([both]).rules.map(({ kind }) => kind)).toEqual(["anyApproval", "retry"])
    expect(rulesOf(bound([both]), "retry").map(({ body }) => body.maxRetries)).toEqual([1])
  })
})
