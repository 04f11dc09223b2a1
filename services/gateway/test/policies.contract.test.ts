/** Policies: every kind of rule reads back as it was written, and what cannot work is refused when it is saved. */
import { randomUUID } from "node:crypto"
import { describe, expect, it } from "vitest"
import { served } from "./served.ts"

const gateway = served()

const metric = (more: object = {}) => ({
  name: "m",
  intervalSeconds: 30,
  count: 1,
  successCondition: "true",
  provider: { type: "sleep", durationSeconds: 30 },
  ...more,
})
const threshold = { successThreshold: 1, failureCondition: "result.value < 0.0", failureThreshold: 2 }
const datadog = {
  type: "datadog",
  apiKey: "a",
  appKey: "b",
  queries: { q: "x" },
  aggregator: "avg",
  intervalSeconds: 300,
}

/** One rule of each kind, with everything optional left out and with everything given. */
const rules = [
  { anyApproval: { minApprovals: 1 } },
  {
    anyApproval: { minApprovals: 2, rejectionVetoes: true, excludeAuthor: true, required: [{ group: "g", count: 1 }] },
  },
  { deploymentDependency: { dependsOn: "deployment.name == 'a'" } },
  { deploymentWindow: { durationMinutes: 60, rrule: "FREQ=DAILY;BYHOUR=9" } },
  { deploymentWindow: { durationMinutes: 60, rrule: "FREQ=DAILY", timezone: "Europe/Berlin", allowWindow: false } },
  { environmentProgression: { dependsOnEnvironmentSelector: "environment.name == 'staging'" } },
  {
    environmentProgression: {
      dependsOnEnvironmentSelector: "true",
      minimumSuccessPercentage: 99.5,
      minimumSoakTimeMinutes: 0,
      maximumAgeHours: 24,
      requireVerificationPassed: true,
      successStatuses: ["successful", "inProgress"],
    },
  },
  { gradualRollout: { rolloutType: "linear", timeScaleInterval: 0 } },
  { gradualRollout: { rolloutType: "linear-normalized", timeScaleInterval: 600 } },
  { gradualRollout: { rolloutType: "verified", maxConcurrent: 2, maxFailures: 1, waves: [1, "50%"] } },
  { retry: { maxRetries: 0 } },
  { retry: { maxRetries: 2, backoffSeconds: 1, backoffStrategy: "exponential", retryOnStatuses: ["failure"] } },
  { rollback: {} },
  { rollback: { scope: "environment", onJobStatuses: ["failure"], failedTargets: 2, onVerificationFailure: false } },
  { verification: { metrics: [metric()] } },
  { verification: { metrics: [metric({ ...threshold, provider: datadog })], triggerOn: "jobSuccess" } },
  {
    verification: {
      metrics: [metric({ provider: { type: "http", url: "http://{{.resource.name}}", timeout: "1m0s" } })],
    },
  },
  { versionCooldown: { intervalSeconds: 60 } },
  { versionSelector: { selector: "version.tag\n  == 'x'", description: "" } },
  { planValidationOpa: { name: "o", rego: "package x" } },
  { concurrency: { maxActive: "25%", groupBy: "resource.kind" } },
  {},
  { anyApproval: { minApprovals: 1 }, retry: { maxRetries: 0 } },
]

describe("terraform's create of a policy: POST, then PUT under the id it got", () => {
  it("echoes every kind of rule exactly, in order, with its id and time, and so does the next read", async () => {
    const { call, W } = gateway()
    const headers = { "user-agent": "Go-http-client/1.1" }
    const discarded = randomUUID()
    const sent = rules.map(rule => ({
      id: randomUUID(),
      createdAt: "2026-01-02T03:04:05Z",
      policyId: discarded,
      ...rule,
    }))
    const body = {
      name: "p",
      metadata: {},
      priority: 0,
      enabled: true,
      selector: "deployment.name == 'none'",
      rules: sent,
    }
    const created = await call("POST", `${W}/policies`, { body, headers })
    expect(created.status).toBe(202)
    const { id } = created.body
    const put = await call("PUT", `${W}/policies/${id}`, { body, headers })
    expect(put.status).toBe(202)
    expect(put.body.rules).toEqual(sent.map(rule => ({ ...rule, policyId: id })))
    expect(put.body).toMatchObject({ id, metadata: {}, createdAt: created.body.createdAt })
    expect("description" in put.body).toBe(false)
    expect((await call("GET", `${W}/policies/${id}`, { headers })).body).toEqual(put.body)
    const described = await call("PUT", `${W}/policies/${id}`, { body: { ...body, description: "" }, headers })
    expect(described.body.description).toBe("")
  })
})

describe("a rule that cannot work", () => {
  const http = (more: object) => ({
    verification: { metrics: [metric({ provider: { type: "http", url: "http://x", ...more } })] },
  })
  const verified = (more: object) => ({ verification: { metrics: [metric(more)] } })
  const rollout = (more: object) => ({ gradualRollout: { rolloutType: "verified", ...more } })
  const progression = (more: object) => ({ environmentProgression: { dependsOnEnvironmentSelector: "true", ...more } })
  const refusals: ReadonlyArray<readonly [string, object]> = [
    ["an unknown rollout type", { gradualRollout: { rolloutType: "exponential", timeScaleInterval: 1 } }],
    ["a clock-driven rollout without its clock", { gradualRollout: { rolloutType: "linear" } }],
    ["a negative interval", rollout({ timeScaleInterval: -1 })],
    ["half a second", rollout({ timeScaleInterval: 0.5 })],
    ["an interval beyond 32 bits", rollout({ timeScaleInterval: 2 ** 31 })],
    ["a rollout of nobody at a time", rollout({ maxConcurrent: 0 })],
    ["a wave of more than all", rollout({ waves: ["101%"] })],
    ["approvals as a text", { anyApproval: { minApprovals: "1" } }],
    ["approvals beyond 32 bits", { anyApproval: { minApprovals: 2 ** 31 } }],
    ["approvals without a number", { anyApproval: {} }],
    ["more than a hundred per cent", progression({ minimumSuccessPercentage: 101 })],
    ["less than no soak time", progression({ minimumSoakTimeMinutes: -1 })],
    ["a job status of the storage", progression({ successStatuses: ["in_progress"] })],
    ["a selector that does not parse", progression({ dependsOnEnvironmentSelector: "(((" })],
    ["a name the place does not know", { versionSelector: { selector: "tag == '1'" } }],
    ["retries below none", { retry: { maxRetries: -1 } }],
    ["an unknown backoff", { retry: { maxRetries: 1, backoffStrategy: "never" } }],
    ["a window of no length", { deploymentWindow: { durationMinutes: 0, rrule: "FREQ=DAILY" } }],
    ["a verification without metrics", { verification: { metrics: [] } }],
    ["a metric that is never measured", verified({ count: 0 })],
    ["an unknown provider", verified({ provider: { type: "crystal ball" } })],
    ["a sleep of more than an hour", verified({ provider: { type: "sleep", durationSeconds: 3_601 } })],
    ["a condition over an unknown name", verified({ successCondition: "answer == 42" })],
    ["a condition that is half a template", verified({ successCondition: "result.{{ .field" })],
    ["an address that is half a template", http({ url: "http://{{ .resource" })],
    ["a timeout in words", http({ timeout: "soon" })],
    ["an unknown method", http({ method: "BREW" })],
    ["an unknown scope", { rollback: { scope: "world" } }],
    ["a share of more than all", { concurrency: { maxActive: "101%" } }],
  ]

  for (const [what, rule] of refusals) {
    it(`is refused: ${what}`, async () => {
      const { call, W } = gateway()
      const body = { name: "refused", selector: "false", rules: [rule] }
      const answer = await call("POST", `${W}/policies`, { body })
      expect(answer).toMatchObject({
        status: 400,
        body: { code: expect.stringMatching(/^(BAD_REQUEST|INVALID_CEL)$/) },
      })
      expect(answer.body.message).toMatch(/rules\.0/)
    })
  }

  it("leaves nothing behind: no refused policy is ever listed", async () => {
    const { call, W } = gateway()
    const { items } = (await call("GET", `${W}/policies?limit=1000`)).body
    expect(items.map((policy: { name: string }) => policy.name)).not.toContain("refused")
  })
})
