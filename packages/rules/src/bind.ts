/**
 * Which policies bind a target. Policies are never merged: every rule of every policy that matches is evaluated, in one
 * fixed order (priority descending, policy id, place of the rule). What cannot be understood holds the target: a policy
 * whose selector fails, or with a broken rule, is named and nothing starts until it is repaired.
 */
import type { Policy, PolicyRule, RuleBodies, RuleKind } from "@sluice/domain/policy"
import { ruleKinds } from "@sluice/domain/policy"
import type { Expressions } from "./expressions.ts"
import type { TargetSubject } from "./facts.ts"

/** One kind of one rule object (a rule object may carry several kinds). */
export interface BoundRule<K extends RuleKind = RuleKind> {
  readonly kind: K
  readonly body: NonNullable<RuleBodies[K]>
  readonly rule: PolicyRule
  readonly policy: Policy
}

/** A policy that may bind the target but cannot be used. */
export interface UnusablePolicy {
  readonly policyId: string
  readonly policyName: string
  readonly ruleId?: string
  readonly message: string
}

export interface Binding {
  readonly rules: ReadonlyArray<BoundRule>
  readonly unusable: ReadonlyArray<UnusablePolicy>
}

/** `policies`: all of the workspace, in any order. A missing key in a selector is "does not match". */
export const bind = (
  policies: ReadonlyArray<Policy>,
  subject: Pick<TargetSubject, "deployment" | "environment" | "resource">,
  expressions: Expressions,
): Binding => {
  const rules: Array<BoundRule> = []
  const unusable: Array<UnusablePolicy> = []
  const { deployment, environment, resource } = subject
  for (const policy of [...policies].sort(byPriority)) {
    if (!policy.enabled) continue
    const tested = expressions.test("policySelector", policy.selector, { deployment, environment, resource })
    if (tested._tag === "NoMatch") continue
    if (tested._tag === "Failed") unusable.push(unusablePolicy(policy, tested.message))
    else if (policy.broken !== undefined)
      unusable.push(unusablePolicy(policy, policy.broken.message, policy.broken.ruleId))
    if (tested._tag === "Match") rules.push(...policy.rules.flatMap(rule => boundKinds(policy, rule)))
  }
  return { rules, unusable }
}

/** The bound rules of one kind, in order. */
export const rulesOf = <K extends RuleKind>(binding: Binding, kind: K): ReadonlyArray<BoundRule<K>> =>
  binding.rules.filter((bound): bound is BoundRule<K> => bound.kind === kind)

const byPriority = (a: Policy, b: Policy): number => b.priority - a.priority || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)

const boundKinds = (policy: Policy, rule: PolicyRule): ReadonlyArray<BoundRule> =>
  ruleKinds.flatMap(kind => {
    const body = rule[kind]
    return body === undefined ? [] : [{ kind, body, rule, policy } as BoundRule]
  })

const unusablePolicy = (policy: Policy, message: string, ruleId?: string): UnusablePolicy => ({
  policyId: policy.id,
  policyName: policy.name,
  ...(ruleId === undefined ? {} : { ruleId }),
  message,
})
