/**
 * Quarantine: a version that was taken back is not started again, until a person releases it or a newer version replaces
 * it. Of this target alone, or, by a rollback rule's scope, of its whole environment or deployment.
 */
import type { VersionId } from "@sluice/domain/ids"
import { allow, type Verdict } from "@sluice/domain/verdict"
import { type Facts, quarantineKey, type TargetHistory, type TargetSubject } from "./facts.ts"
import { deny, type GateContext, instant, scopeOf } from "./gate.ts"
import { rollbackSubject } from "./wait-subject.ts"

export const ownQuarantine = ({ candidate, history }: GateContext): Verdict => {
  const own = history.quarantined.find(entry => entry.versionId === candidate.version.id)
  if (own === undefined) return allow()
  const reason = `${candidate.version.tag} is quarantined on this target since ${instant(own.at)}: ${own.reason}`
  return deny(reason, [], { details: { scope: "target", at: own.at } })
}

export const scopeQuarantine = ({ candidate, subject, facts }: GateContext): Verdict => {
  const scope = scopeOf(subject)
  const found = facts.quarantines.get(quarantineKey({ ...scope, versionId: candidate.version.id }))
  if (found === undefined) return allow()
  const where = found.scope === "environment" ? subject.environment.name : `all of ${subject.deployment.name}`
  const on =
    found.scope === "environment" ? [rollbackSubject(scope)] : [rollbackSubject({ deploymentId: scope.deploymentId })]
  const reason = `${candidate.version.tag} is quarantined in ${where} since ${instant(found.at)}: ${found.reason}`
  return deny(reason, on, { details: { scope: found.scope, at: found.at } })
}

/** Is the version quarantined for this target, by itself or by a wider scope? */
export const isQuarantined = (
  versionId: VersionId,
  where: { readonly subject: TargetSubject; readonly history: TargetHistory; readonly facts: Facts },
): boolean =>
  where.history.quarantined.some(entry => entry.versionId === versionId) ||
  where.facts.quarantines.has(quarantineKey({ ...scopeOf(where.subject), versionId }))
