/**
 * What the demonstration sets up, as data: names, ids that stay the same over restarts, and the bodies of its policies.
 * Nothing here talks to anybody.
 */
import { createHash } from "node:crypto"
import type { SentRule } from "@sluice/api/policies"
import type { MetricSpec } from "@sluice/domain/verification"

export const deploymentNames = ["storefront", "checkout"] as const
export type DeploymentName = (typeof deploymentNames)[number]
export const environmentNames = ["staging", "production"] as const
export type EnvironmentName = (typeof environmentNames)[number]

export const resourceNames: { readonly [E in EnvironmentName]: ReadonlyArray<string> } = {
  staging: ["staging-1", "staging-2"],
  production: ["amsterdam", "boston", "caracas", "dublin", "edinburgh"],
}

export const oldTag = "1.0.0"
export const newTag = "1.1.0"
/** What a healthy site answers, and what 1.1.0 answers on the third production target in its order. */
export const goodErrorRate = 0.01
export const badErrorRate = 0.3

/** A UUID that is the same for the same workspace and name: a restarted demonstration finds what it made. */
export const fixedId = (workspaceId: string, name: string): string => {
  const hex = createHash("sha256").update(`${workspaceId}/${name}`).digest("hex")
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    "-",
  )
}

/** Where a resource's sites are: its config holds one address per deployment. */
export const siteTemplate = "{{ index .resource.config.sites .deployment.name }}"

const probes = 2
const probeIntervalSeconds = 1

/** The sites live and die with the demonstration, which may be stopped in the middle and started again tomorrow. */
export const patienceSeconds = 24 * 60 * 60

const errorRate: MetricSpec = {
  name: "error rate",
  intervalSeconds: probeIntervalSeconds,
  count: probes,
  provider: { type: "http", url: siteTemplate, timeout: "5s" },
  successCondition: "result.ok && result.json.errorRate < 0.1",
  // One bad probe is enough to go back.
  failureThreshold: 0,
  maxErrors: patienceSeconds,
  timeoutSeconds: patienceSeconds,
}

export interface PlannedPolicy {
  readonly name: string
  readonly selector: string
  readonly rules: ReadonlyArray<SentRule>
}

/** Kept with the rules as sent: a rule must not look newer than the versions it holds after a restart. */
const rulesSince = "2026-01-01T00:00:00.000Z"

export const policies = (workspaceId: string): ReadonlyArray<PlannedPolicy> => {
  const rule = (name: string, body: Omit<SentRule, "id" | "createdAt">): SentRule => ({
    id: fixedId(workspaceId, `rule/${name}`),
    createdAt: rulesSince,
    ...body,
  })
  const stagingFirst = {
    dependsOnEnvironmentSelector: 'environment.name == "staging"',
    minimumSuccessPercentage: 100,
    requireVerificationPassed: true,
  }
  return [
    {
      name: "staging is verified",
      selector: 'environment.name == "staging"',
      rules: [rule("staging verification", { verification: { metrics: [errorRate] } })],
    },
    {
      name: "storefront in production",
      selector: 'deployment.name == "storefront" && environment.name == "production"',
      rules: [
        rule("storefront progression", { environmentProgression: stagingFirst }),
        rule("storefront approval", { anyApproval: { minApprovals: 1 } }),
        rule("storefront rollout", { gradualRollout: { rolloutType: "verified", maxConcurrent: 1, maxFailures: 0 } }),
        rule("storefront verification", { verification: { metrics: [errorRate] } }),
        rule("storefront rollback", { rollback: { scope: "environment" } }),
      ],
    },
    {
      name: "checkout in production",
      selector: 'deployment.name == "checkout" && environment.name == "production"',
      rules: [rule("checkout progression", { environmentProgression: stagingFirst })],
    },
  ]
}

/** Milliseconds the agent takes for a deployment: the second staging site is slower, so that one is seen waiting for it. */
export const deployMilliseconds = (resourceName: string): number => (resourceName === "staging-2" ? 2_000 : 400)
