/** "Look again" while something is under way: only what cannot wait for its end. */
import { goBack } from "./fail.ts"
import type { Script } from "./script.ts"
import { verify } from "./settle.ts"
import { activeJobSet } from "./state.ts"
import { scopeQuarantineOf, type TargetFacts } from "./target-facts.ts"

/** The target is not there any more: what runs is asked to stop, and nothing starts. */
export const leave = (script: Script): void => {
  const { phase } = script.state
  if (!script.state.present) return
  const cancels = activeJobSet(script.state)
  const checked = (phase._tag === "Verifying" || phase._tag === "VerifyingReturn") && phase.check._tag === "Running"
  script.add({
    _tag: "Left",
    ...(cancels === undefined ? {} : { cancels }),
    ...(checked ? { abandons: phase.check.verificationId } : {}),
  })
}

/** A wider quarantine takes a version back while it is being deployed or verified; a postponed check is tried again. */
export const watch = (script: Script, facts: Exclude<TargetFacts, { readonly _tag: "Absent" }>): void => {
  const { phase } = script.state
  if (facts._tag === "Found" && (phase._tag === "Deploying" || phase._tag === "Verifying")) {
    const quarantine = scopeQuarantineOf(facts, phase.run.versionId)
    if (quarantine !== undefined && phase._tag === "Verifying") {
      const abandons = phase.check._tag === "Running" ? { abandons: phase.check.verificationId } : {}
      const { versionId, tag } = phase.run
      const from = { versionId, tag }
      return goBack(script, facts, { from, reason: quarantine.reason, scope: "target", ...abandons })
    }
    if (quarantine !== undefined && phase._tag === "Deploying" && phase.recalled === undefined) {
      return script.add({ _tag: "Recalled", reason: quarantine.reason, cancels: phase.run.jobSetId })
    }
  }
  if (phase._tag === "Verifying" && phase.check._tag === "Unknown") verify(script, facts, phase.run, undefined)
  if (phase._tag === "VerifyingReturn" && phase.check._tag === "Unknown") verify(script, facts, phase.run, phase.from)
}
