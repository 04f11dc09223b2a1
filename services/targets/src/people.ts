/** What people order: once more, out of quarantine, out of a hold. Each is answered: done, or why not. */
import type { Redeploy, ReleaseHold, ReleaseQuarantine } from "@sluice/protocol/target"
import { capFor, evaluateFor } from "./evaluation.ts"
import type { Script } from "./script.ts"
import { requestJob } from "./start.ts"
import { type Found, scopeQuarantineOf, type TargetFacts } from "./target-facts.ts"

/** The desired release runs once more, past the retry rule; never past quarantine, a broken policy or a rollout's cap. */
export const redeploy = (script: Script, body: Redeploy, facts: TargetFacts): string | undefined => {
  if (facts._tag === "Absent") return "the release target does not exist at present"
  if (facts._tag === "Incomplete") return facts.missing
  const evaluation = evaluateFor(script, facts)
  const desired = evaluation?.desired?.candidate.version
  if (desired === undefined) {
    return evaluation?.answer.blocked?.reason ?? "there is no version that this target may run"
  }
  const unusable = facts.binding.unusable[0]
  if (unusable !== undefined) return `policy "${unusable.policyName}" cannot be used: ${unusable.message}`
  const cap = capFor(facts, desired.id)
  if (cap._tag !== "Allow") return cap.reason
  if (script.state.phase._tag === "Held") {
    script.add({ _tag: "HoldReleased", userId: body.userId, reason: body.reason })
  }
  requestJob(script, facts, { versionId: desired.id, tag: desired.tag }, `redeployed by a person: ${body.reason}`)
  return undefined
}

/** Without a version: all of this target's. A wider quarantine of the same version is released with it. */
export const releaseQuarantine = (
  script: Script,
  { versionId, userId, reason }: ReleaseQuarantine,
  facts: TargetFacts,
): string | undefined => {
  const versions = script.state.setbacks
    .filter(setback => setback.quarantined || setback.failed)
    .filter(setback => versionId === undefined || setback.versionId === versionId)
    .map(setback => ({ versionId: setback.versionId, tag: setback.tag }))
  const named = versionId === undefined ? versions.map(version => version.versionId) : [versionId]
  const scopes = facts._tag === "Found" ? named.flatMap(id => scopesOf(facts, id)) : []
  if (versions.length === 0 && scopes.length === 0) return "no version is quarantined here"
  script.add({ _tag: "QuarantineReleased", versions, scopes, userId, reason })
  if (script.state.phase._tag !== "Held") script.add({ _tag: "LookDue" })
  return undefined
}

const scopesOf = (facts: Found, versionId: string) => {
  const found = scopeQuarantineOf(facts, versionId)
  return found === undefined ? [] : [{ versionId, scope: found.scope }]
}

export const releaseHold = (script: Script, { userId, reason }: ReleaseHold): string | undefined => {
  script.add({ _tag: "HoldReleased", userId, reason })
  script.add({ _tag: "LookDue" })
  return undefined
}
