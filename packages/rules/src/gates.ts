/**
 * Every check a candidate goes through on a target, in the order people read them: what the target itself has against
 * the version, the version's status, policies that cannot be used, every rule of every binding policy, dependencies, and
 * quarantine of a wider scope. Adding a rule kind is one entry in `gates`. Nothing short-circuits: all answers are shown.
 */
import type { RuleKind } from "@sluice/domain/policy"
import type { Verdict } from "@sluice/domain/verdict"
import type { GateKind } from "./answer.ts"
import { anyApproval } from "./any-approval.ts"
import type { BoundRule, UnusablePolicy } from "./bind.ts"
import { environmentProgression } from "./environment-progression.ts"
import { type Gate, type GateContext, wait } from "./gate.ts"
import { gradualRollout } from "./gradual-rollout.ts"
import { ownQuarantine, scopeQuarantine } from "./quarantine.ts"
import { type UnevaluatedKind, unevaluated, versionDependencies } from "./unevaluated.ts"
import { versionSelector } from "./version-selector.ts"
import { versionStatusGate } from "./version-status.ts"
import { policiesSubject } from "./wait-subject.ts"

/** A verdict with who spoke it. */
export interface Spoken {
  readonly rule: GateKind
  readonly ruleId?: string
  readonly policyId?: string
  readonly policyName?: string
  readonly verdict: Verdict
}

/** One verdict per rule that gates; the other checks appear only when they do not allow. */
export const verdictsOn = (context: GateContext): ReadonlyArray<Spoken> => [
  ...unlessAllowed("quarantine", ownQuarantine(context)),
  ...unlessAllowed("versionStatus", versionStatusGate(context)),
  ...context.binding.unusable.map(policy => unusable(policy, context)),
  ...context.binding.rules.flatMap(bound => spokenBy(bound, context)),
  ...unlessAllowed("versionDependency", versionDependencies(context)),
  ...unlessAllowed("quarantine", scopeQuarantine(context)),
]

/** `after`: the rule speaks once a try has ended, or only advises, and never holds a start. */
const gates: { readonly [K in RuleKind]: Gate<K> | "after" } = {
  anyApproval,
  deploymentDependency: notYet("deploymentDependency"),
  deploymentWindow: notYet("deploymentWindow"),
  environmentProgression,
  gradualRollout,
  retry: "after",
  rollback: "after",
  verification: "after",
  versionCooldown: notYet("versionCooldown"),
  versionSelector,
  planValidationOpa: "after",
  concurrency: notYet("concurrency"),
}

function notYet<K extends UnevaluatedKind>(kind: K): Gate<K> {
  return (_bound, context) => unevaluated(kind, context)
}

const spokenBy = <K extends RuleKind>(bound: BoundRule<K>, context: GateContext): ReadonlyArray<Spoken> => {
  const gate: Gate<K> | "after" = gates[bound.kind]
  if (gate === "after") return []
  const { rule, policy, kind } = bound
  const verdict = gate(bound, context)
  return [{ rule: kind, ruleId: rule.id, policyId: policy.id, policyName: policy.name, verdict }]
}

const unlessAllowed = (rule: GateKind, verdict: Verdict): ReadonlyArray<Spoken> =>
  verdict._tag === "Allow" ? [] : [{ rule, verdict }]

const unusable = (policy: UnusablePolicy, { subject }: GateContext): Spoken => {
  const rule = policy.ruleId === undefined ? "" : `, rule ${policy.ruleId}`
  const reason = `policy "${policy.policyName}" (${policy.policyId}${rule}) cannot be used: ${policy.message}`
  return {
    rule: "policy",
    ...(policy.ruleId === undefined ? {} : { ruleId: policy.ruleId }),
    policyId: policy.policyId,
    policyName: policy.policyName,
    verdict: wait(reason, [policiesSubject(subject.workspaceId)]),
  }
}
