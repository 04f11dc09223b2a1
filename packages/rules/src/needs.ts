/**
 * Which facts a target's evaluation will look at, from the policies that bind it and the candidates in the window. Pure:
 * the loader answers what this names, and evaluation holds the target on any answer that is not there.
 */
import type { Binding } from "./bind.ts"
import { rulesOf } from "./bind.ts"
import { dependencyEnvironments, progressionNeed } from "./environment-progression.ts"
import type { Expressions } from "./expressions.ts"
import type { Candidate, FactNeeds, TargetSubject } from "./facts.ts"
import { approvalKey, mergeNeeds, quarantineKey, rolloutKey } from "./facts.ts"
import { maxConcurrentOf } from "./gradual-rollout.ts"

export const needsOf = (input: {
  readonly subject: TargetSubject
  readonly binding: Binding
  readonly candidates: ReadonlyArray<Candidate>
  readonly expressions: Expressions
}): FactNeeds => {
  const { subject, binding, candidates, expressions } = input
  const [deploymentId, environmentId, targetKey] = [subject.deployment.id, subject.environment.id, subject.key]
  const progressions = rulesOf(binding, "environmentProgression").map(bound => ({
    body: bound.body,
    found: dependencyEnvironments(bound.body, subject, expressions),
  }))
  const rollouts = rulesOf(binding, "gradualRollout").map(bound => bound.body)
  const verified = rollouts.filter(rollout => rollout.rolloutType === "verified")
  const rolloutNeed = {
    deploymentId,
    environmentId,
    targetKey,
    clock: verified.length < rollouts.length,
    verified: verified.length > 0,
    unsettledMax: Math.max(0, ...verified.map(maxConcurrentOf)),
  }
  const needsOfCandidate = (versionId: Candidate["version"]["id"]): FactNeeds => {
    const approval = { versionId, environmentId }
    const rollout = { ...rolloutNeed, versionId }
    const quarantine = { versionId, environmentId, deploymentId }
    return {
      approvals: rulesOf(binding, "anyApproval").length === 0 ? [] : [{ ...approval, key: approvalKey(approval) }],
      progressions: progressions.flatMap(({ body, found }) =>
        found._tag === "Failed"
          ? []
          : found.environments.map(environment => progressionNeed(body, { deploymentId, versionId, environment })),
      ),
      rollouts: rollouts.length === 0 ? [] : [{ ...rollout, key: rolloutKey(rollout) }],
      quarantines: [{ ...quarantine, key: quarantineKey(quarantine) }],
    }
  }
  return mergeNeeds(candidates.map(candidate => needsOfCandidate(candidate.version.id)))
}
