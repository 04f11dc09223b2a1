import type { VerificationRule } from "@sluice/domain/policy"
import { describe, expect, it } from "vitest"
import { bind } from "../src/bind.ts"
import { metricsToVerify } from "../src/verification.ts"
import { expressions } from "./expressions.ts"
import { policy, subject } from "./given.ts"

const metric = (name: string, count: number): VerificationRule["metrics"][number] => ({
  name,
  count,
  intervalSeconds: 1,
  provider: { type: "sleep" },
  successCondition: "true",
})
const metricsOf = (policies: Parameters<typeof bind>[0]) =>
  metricsToVerify(bind(policies, subject(), expressions)).map(({ name, count }) => `${name}×${count}`)

describe("the metrics of a target", () => {
  it("are those of all binding policies, the first of a name winning by priority (V-VE-8)", () => {
    const low = policy([{ verification: { metrics: [metric("health", 9), metric("latency", 2)] } }], { suffix: "b1" })
    const high = policy([{ verification: { metrics: [metric("health", 5)] } }], { suffix: "b2", priority: 10 })
    expect(metricsOf([low, high])).toEqual(["health×5", "latency×2"])
  })

  it("are none where no policy asks, is disabled, or does not match", () => {
    const rules = [{ verification: { metrics: [metric("health", 5)] } }]
    expect(metricsOf([])).toEqual([])
    expect(metricsOf([policy(rules, { enabled: false })])).toEqual([])
    expect(metricsOf([policy(rules, { selector: `environment.name == "staging"` })])).toEqual([])
  })

  it("are probed after success even if they asked to be earlier, but not if they are for failures", () => {
    const rules = (["jobCreated", "jobStarted", "jobSuccess", "jobFailure"] as const).map(triggerOn => ({
      verification: { metrics: [metric(triggerOn, 1)], triggerOn },
    }))
    expect(metricsOf([policy(rules)])).toEqual(["jobCreated×1", "jobStarted×1", "jobSuccess×1"])
  })
})
