/**
 * What a target can wait on: the only place that spells a wait subject. Whoever changes something that may change a
 * verdict wakes the subject of the same name; subjects are coarse on purpose (rule kind, deployment, environment), so
 * that a new rule seldom needs a new waker. Each line says who wakes it.
 */
import type { DeploymentId, EnvironmentId, ReleaseTargetKey, WorkspaceId } from "@sluice/domain/ids"
import type { RolloutScope } from "@sluice/domain/policy"
import type { WaitSubject } from "@sluice/domain/verdict"

/** Woken by the gateway: an approval or rejection of any version of the deployment in the environment was recorded. */
export const approvalSubject = (scope: RolloutScope): WaitSubject => pair("approval", scope)

/** Woken by a target of the pair: a try ended, or its verification passed. Waited on from other environments. */
export const progressionSubject = (scope: RolloutScope): WaitSubject => pair("progression", scope)

/** Woken by a target of the pair that is no longer active: a place under the rollout's cap came free. */
export const rolloutSubject = (scope: RolloutScope): WaitSubject => pair("rollout", scope)

/** Woken by a target of the pair on which a version failed for good, and by the person who takes that back. */
export const rolloutFailureSubject = (scope: RolloutScope): WaitSubject => pair("rollout-failure", scope)

/**
 * Woken by that target itself when it settled, failed for good, left, or was held or pinned. Waited on by those behind
 * it in a rollout.
 */
export const neighbourSubject = (key: ReleaseTargetKey): WaitSubject => subject("neighbour", key)

/**
 * Woken by a target whose rollback reaches further than itself: quarantine in one environment, or, without one, in the
 * whole deployment. Every target waits on both of its own. Woken too when such a quarantine is released.
 */
export const rollbackSubject = (scope: {
  readonly deploymentId: DeploymentId
  readonly environmentId?: EnvironmentId | undefined
}): WaitSubject => subject("rollback", scope.deploymentId, scope.environmentId ?? "deployment")

/** Woken by the planner: a target joined or left the pair. */
export const membershipSubject = (scope: RolloutScope): WaitSubject => pair("membership", scope)

/** Woken by the gateway: an environment, or a link of a system to one, was created, changed or removed. */
export const environmentsSubject = (workspaceId: WorkspaceId): WaitSubject => subject("environments", workspaceId)

/** "Policies that match me". Woken by the gateway: a policy of the workspace was created, changed or removed. */
export const policiesSubject = (workspaceId: WorkspaceId): WaitSubject => subject("policies", workspaceId)

const subject = (...parts: ReadonlyArray<string>): WaitSubject => parts.join(":") as WaitSubject
const pair = (name: string, scope: RolloutScope): WaitSubject => subject(name, scope.deploymentId, scope.environmentId)
