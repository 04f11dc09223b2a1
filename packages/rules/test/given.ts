/** Targets, versions, policies and facts for the tests of this package, with names instead of ids. */
import type { Environment } from "@sluice/domain/entities"
import {
  type DeploymentId,
  type EnvironmentId,
  type PolicyId,
  type ResourceId,
  type RuleId,
  releaseTargetKey,
  type VersionId,
  type WorkspaceId,
} from "@sluice/domain/ids"
import type { Approval, Policy, RuleBodies, RuleKind } from "@sluice/domain/policy"
import type { VersionStatus } from "@sluice/domain/version"
import { type Binding, type BoundRule, bind, rulesOf } from "../src/bind.ts"
import { dependencyEnvironments, progressionNeed } from "../src/environment-progression.ts"
import type { Evaluating } from "../src/evaluate.ts"
import {
  approvalKey,
  type Candidate,
  type Facts,
  type ProgressionStatistics,
  type RolloutFacts,
  rolloutKey,
  type TargetHistory,
  type TargetSubject,
} from "../src/facts.ts"
import type { GateContext } from "../src/gate.ts"
import { expressions } from "./expressions.ts"

const prefix = "00000000-0000-4000-8000-0000000000"
export const idOf = <Id>(suffix: string): Id => `${prefix}${suffix}` as Id
const workspaceId = idOf<WorkspaceId>("00")

/** A moment of one day: `at("09:30")`. */
export const at = (clock: string): number => Date.parse(`2026-03-02T${clock.length === 5 ? `${clock}:00` : clock}Z`)

export const environmentNamed = (name: string, suffix: string, metadata: Record<string, string> = {}): Environment => ({
  id: idOf<EnvironmentId>(suffix),
  workspaceId,
  name,
  metadata,
  createdAt: "2026-01-01T00:00:00Z",
})
export const staging = environmentNamed("staging", "e0")
export const production = environmentNamed("production", "e1")

export const subject = (more: Partial<TargetSubject> & { readonly resourceSuffix?: string } = {}): TargetSubject => {
  const deploymentId = idOf<DeploymentId>("d1")
  const resourceId = idOf<ResourceId>(more.resourceSuffix ?? "a1")
  const environment = more.environment ?? production
  return {
    key: releaseTargetKey({ resourceId, environmentId: environment.id, deploymentId }),
    workspaceId,
    deployment: {
      id: deploymentId,
      name: "shop",
      slug: "shop",
      jobAgentSelector: "true",
      jobAgentConfig: {},
      metadata: {},
    },
    environment,
    resource: {
      id: resourceId,
      workspaceId,
      identifier: "eu-1",
      name: "eu-1",
      kind: "site",
      version: "v1",
      config: {},
      metadata: {},
      createdAt: "2026-01-01T00:00:00Z",
    },
    siblings: [staging],
    ...more,
  }
}

export const candidate = (
  tag: string,
  more: { suffix?: string; createdAt?: number; status?: VersionStatus; metadata?: Record<string, string> } & Pick<
    Partial<Candidate>,
    "createdBy" | "dependsOn"
  > = {},
): Candidate => {
  const createdAt = more.createdAt ?? at("09:00")
  const version = {
    id: idOf<VersionId>(more.suffix ?? "f1"),
    deploymentId: idOf<DeploymentId>("d1"),
    tag,
    name: tag,
    status: more.status ?? "ready",
    config: {},
    jobAgentConfig: {},
    metadata: more.metadata ?? {},
    createdAt: new Date(createdAt).toISOString(),
  }
  const createdBy = more.createdBy === undefined ? {} : { createdBy: more.createdBy }
  return { version, createdAt, dependsOn: more.dependsOn ?? [], ...createdBy }
}

export const policy = (
  rules: ReadonlyArray<RuleBodies & { readonly createdAt?: number }>,
  more: Partial<Omit<Policy, "rules" | "id">> & { readonly suffix?: string } = {},
): Policy => {
  const { suffix = "b1", ...fields } = more
  const id = idOf<PolicyId>(suffix)
  return {
    id,
    name: `policy ${suffix}`,
    selector: "true",
    enabled: true,
    priority: 0,
    ...fields,
    rules: rules.map((body, index) => ({
      createdAt: at("00:00"),
      ...body,
      id: `rule-${suffix}-${index}` as RuleId,
      policyId: id,
    })),
  }
}

export const approved = (userId: string, clock: string, status: Approval["status"] = "approved"): Approval => ({
  userId,
  status,
  createdAt: at(clock),
})

export const fresh: TargetHistory = { releasedVersionIds: [], quarantined: [] }
export const noFacts: Facts = {
  approvals: new Map(),
  progressions: new Map(),
  rollouts: new Map(),
  quarantines: new Map(),
}

export interface Known {
  readonly approvals?: ReadonlyArray<Approval>
  /** By environment id; the same for every progression rule that asks. */
  readonly progress?: Readonly<Record<string, ProgressionStatistics>>
  readonly rollout?: RolloutFacts
}

/** Facts of one candidate, under the keys that the binding's rules ask for. */
export const factsFor = (
  known: Known,
  of: { readonly subject: TargetSubject; readonly candidate: Candidate; readonly binding: Binding },
): Facts => {
  const versionId = of.candidate.version.id
  const approval = approvalKey({ versionId, environmentId: of.subject.environment.id })
  const progressions = rulesOf(of.binding, "environmentProgression").flatMap(({ body }) => {
    const found = dependencyEnvironments(body, of.subject, expressions)
    if (found._tag === "Failed") return []
    return found.environments.flatMap(environment => {
      const statistics = known.progress?.[environment.id]
      const need = progressionNeed(body, { deploymentId: of.subject.deployment.id, versionId, environment })
      return statistics === undefined ? [] : [[need.key, statistics] as const]
    })
  })
  const rollout = rolloutKey({ versionId, targetKey: of.subject.key })
  return {
    approvals: new Map(known.approvals === undefined ? [] : [[approval, known.approvals]]),
    progressions: new Map(progressions),
    rollouts: new Map(known.rollout === undefined ? [] : [[rollout, known.rollout]]),
    quarantines: new Map(),
  }
}

export const context = (
  bodies: ReadonlyArray<RuleBodies & { readonly createdAt?: number }>,
  known: Known & Partial<Pick<GateContext, "subject" | "candidate" | "history" | "now">> = {},
): GateContext => {
  const target = known.subject ?? subject()
  const chosen = known.candidate ?? candidate("1.1.0")
  const binding = bind([policy(bodies)], target, expressions)
  return {
    subject: target,
    binding,
    candidate: chosen,
    history: known.history ?? fresh,
    facts: factsFor(known, { subject: target, candidate: chosen, binding }),
    expressions,
    now: known.now ?? at("12:00"),
  }
}

/** The first bound rule of a kind. */
export const boundRule = <K extends RuleKind>(given: GateContext, kind: K): BoundRule<K> => {
  const bound = rulesOf(given.binding, kind)[0]
  if (bound === undefined) throw new Error(`no ${kind} rule is bound`)
  return bound
}

export const evaluating = (more: Partial<Evaluating> & { readonly policies?: ReadonlyArray<Policy> }): Evaluating => {
  const target = more.subject ?? subject()
  return {
    subject: target,
    binding: bind(more.policies ?? [], target, expressions),
    candidates: [],
    moreCandidates: false,
    history: fresh,
    facts: noFacts,
    expressions,
    now: at("12:00"),
    ...more,
  }
}
