/**
 * Policies: which release targets they bind (`selector`, CEL) and the rules that bind them. Bodies are kept as clients
 * sent them, so that Terraform sees no drift; defaults are applied where a rule is evaluated, never written back.
 */
import { Schema } from "effect"
import type { DeploymentId, EnvironmentId, PolicyId, RuleId } from "./ids.ts"
import { JobStatus } from "./job-status.ts"
import { MetricSpec } from "./verification.ts"

/** Generated clients of the contract read whole numbers into 32 bits: a larger one would make a whole list unreadable. */
const int32Max = 2 ** 31 - 1
const int32 = Schema.Int.check(Schema.isBetween({ minimum: -int32Max - 1, maximum: int32Max }))
const atLeast = (minimum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum: int32Max }))
const count = atLeast(0)

export const AnyApproval = Schema.Struct({
  minApprovals: int32,
  rejectionVetoes: Schema.optionalKey(Schema.Boolean),
  required: Schema.optionalKey(Schema.Array(Schema.Struct({ group: Schema.String, count }))),
  excludeAuthor: Schema.optionalKey(Schema.Boolean),
  expiresAfterMinutes: Schema.optionalKey(count),
})
export type AnyApproval = typeof AnyApproval.Type

export const EnvironmentProgression = Schema.Struct({
  dependsOnEnvironmentSelector: Schema.String,
  successStatuses: Schema.optionalKey(Schema.Array(JobStatus)),
  minimumSuccessPercentage: Schema.optionalKey(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 100 }))),
  minimumSoakTimeMinutes: Schema.optionalKey(count),
  maximumAgeHours: Schema.optionalKey(count),
  requireVerificationPassed: Schema.optionalKey(Schema.Boolean),
  combine: Schema.optionalKey(Schema.Literals(["any", "all"])),
  emptyEnvironment: Schema.optionalKey(Schema.Literals(["allow", "deny"])),
})
export type EnvironmentProgression = typeof EnvironmentProgression.Type

export const GradualRollout = Schema.Struct({
  rolloutType: Schema.Literals(["linear", "linear-normalized", "verified"]),
  /** Seconds. `linear`: gap between targets; `linear-normalized`: the whole; `verified`: least gap between starts. */
  timeScaleInterval: Schema.optionalKey(count),
  maxConcurrent: Schema.optionalKey(atLeast(1)),
  maxFailures: Schema.optionalKey(count),
  waves: Schema.optionalKey(Schema.Array(Schema.Union([count, Schema.String.check(Schema.isPattern(/^\d{1,3}%$/))]))),
  firstWaveBakeSeconds: Schema.optionalKey(count),
})
export type GradualRollout = typeof GradualRollout.Type

export const VersionSelector = Schema.Struct({
  selector: Schema.String,
  description: Schema.optionalKey(Schema.String),
})
export type VersionSelector = typeof VersionSelector.Type

export const Retry = Schema.Struct({
  maxRetries: count,
  retryOnStatuses: Schema.optionalKey(Schema.Array(JobStatus)),
  backoffSeconds: Schema.optionalKey(count),
  backoffStrategy: Schema.optionalKey(Schema.Literals(["linear", "exponential"])),
  maxBackoffSeconds: Schema.optionalKey(count),
})
export type Retry = typeof Retry.Type

export const VerificationRule = Schema.Struct({
  metrics: Schema.Array(MetricSpec).check(Schema.isMinLength(1)),
  triggerOn: Schema.optionalKey(Schema.Literals(["jobCreated", "jobStarted", "jobSuccess", "jobFailure"])),
})
export type VerificationRule = typeof VerificationRule.Type

export const Rollback = Schema.Struct({
  onVerificationFailure: Schema.optionalKey(Schema.Boolean),
  onJobStatuses: Schema.optionalKey(Schema.Array(JobStatus)),
  scope: Schema.optionalKey(Schema.Literals(["target", "environment", "deployment"])),
  failedTargets: Schema.optionalKey(atLeast(1)),
})
export type Rollback = typeof Rollback.Type

export const DeploymentWindow = Schema.Struct({
  rrule: Schema.String,
  durationMinutes: atLeast(1),
  timezone: Schema.optionalKey(Schema.String),
  allowWindow: Schema.optionalKey(Schema.Boolean),
  firstDeploymentExempt: Schema.optionalKey(Schema.Boolean),
  end: Schema.optionalKey(Schema.Literals(["absolute", "wallClock"])),
})
export const VersionCooldown = Schema.Struct({
  intervalSeconds: count,
  anchor: Schema.optionalKey(Schema.Literals(["versionCreated", "deployedAt"])),
})
export const DeploymentDependency = Schema.Struct({ dependsOn: Schema.String })
export const Concurrency = Schema.Struct({
  maxActive: Schema.Union([count, Schema.String.check(Schema.isPattern(/^\d{1,3}%$/))]),
  groupBy: Schema.optionalKey(Schema.String),
})
export const PlanValidationOpa = Schema.Struct({
  name: Schema.String,
  description: Schema.optionalKey(Schema.String),
  rego: Schema.String,
})

/** The rule kinds, in the order the contract lists them. A rule object may carry several kinds, or none. */
export const ruleBodies = {
  anyApproval: AnyApproval,
  deploymentDependency: DeploymentDependency,
  deploymentWindow: DeploymentWindow,
  environmentProgression: EnvironmentProgression,
  gradualRollout: GradualRollout,
  retry: Retry,
  rollback: Rollback,
  verification: VerificationRule,
  versionCooldown: VersionCooldown,
  versionSelector: VersionSelector,
  planValidationOpa: PlanValidationOpa,
  concurrency: Concurrency,
} as const
export type RuleKind = keyof typeof ruleBodies
export const ruleKinds = Object.keys(ruleBodies) as ReadonlyArray<RuleKind>

export type RuleBodies = { readonly [K in RuleKind]?: (typeof ruleBodies)[K]["Type"] }

/** A rule as the evaluators see it: decoded bodies beside its identity. `createdAt` in epoch milliseconds. */
export interface PolicyRule extends RuleBodies {
  readonly id: RuleId
  readonly policyId: PolicyId
  readonly createdAt: number
}

export interface Policy {
  readonly id: PolicyId
  readonly name: string
  readonly selector: string
  readonly enabled: boolean
  readonly priority: number
  /** Set when a stored rule or selector cannot be used: the targets it may bind are held, naming the row. */
  readonly broken?: { readonly ruleId?: string; readonly message: string }
  readonly rules: ReadonlyArray<PolicyRule>
}

export interface Approval {
  readonly userId: string
  readonly status: "approved" | "rejected"
  /** Epoch milliseconds. */
  readonly createdAt: number
}

/** The scope of one rollout: every cap and order is counted in one (deployment, environment). */
export interface RolloutScope {
  readonly deploymentId: DeploymentId
  readonly environmentId: EnvironmentId
}
