/**
 * Rule kinds that the contract knows and this release does not evaluate. They never fail open: a target bound by one is
 * held and told which, rather than started as if the rule were not there.
 */
import type { RuleKind } from "@sluice/domain/policy"
import { allow, type Verdict } from "@sluice/domain/verdict"
import { type GateContext, wait } from "./gate.ts"
import { policiesSubject } from "./wait-subject.ts"

export type UnevaluatedKind = Extract<
  RuleKind,
  "deploymentWindow" | "versionCooldown" | "deploymentDependency" | "concurrency"
>

export const unevaluated = (kind: UnevaluatedKind, { subject }: GateContext): Verdict =>
  wait(`this release of Sluice does not evaluate ${kind} rules yet`, [policiesSubject(subject.workspaceId)])

/** A version that depends on others waits likewise; another version, or its edit, reconciles the target. */
export const versionDependencies = ({ candidate }: GateContext): Verdict =>
  candidate.dependsOn.length === 0
    ? allow()
    : wait("this release of Sluice does not evaluate the dependencies of a version yet", [], {
        details: { dependency_deployment_ids: candidate.dependsOn },
      })
