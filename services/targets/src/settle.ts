/**
 * Results: a job set is over, a verification concluded. Success leads to verification, then to a confirmed release;
 * anything else to another try, to a rollback, or to a person. What became of a target that left is kept for its return.
 */
import type { JsonObject } from "@sluice/domain/json"
import type { JobSettled, VerificationConcluded } from "@sluice/protocol/target"
import { rulesOf } from "@sluice/rules/bind"
import { mayTryAgain } from "@sluice/rules/retry"
import { metricsToVerify } from "@sluice/rules/verification"
import { failForGood, goBack } from "./fail.ts"
import type { Script } from "./script.ts"
import { type Deploying, type EndedRun, type Returning, setbackOf, triesMax, type VersionRef } from "./state.ts"
import type { Found, TargetFacts } from "./target-facts.ts"

export const jobSettled = (script: Script, body: JobSettled, facts: TargetFacts): string | undefined => {
  const { phase } = script.state
  const under = phase._tag === "Lost" ? phase.was : phase
  if (under._tag !== "Deploying" && under._tag !== "Returning") return "no job set is under way"
  if (under.run.jobSetId !== body.jobSetId) return `job set ${body.jobSetId} is not the one under way`
  const run: EndedRun = { ...under.run, jobIds: body.jobIds }
  const { outcome, at, message } = body
  const counts = outcome === "successful" || under.run.interrupted !== true
  script.add({ _tag: "TryEnded", run, outcome, at, counts, ...(message === undefined ? {} : { message }) })
  noticeWhetherPresent(script, facts)
  if (!script.state.present) absent(script, under, run, outcome === "successful")
  else if (outcome === "successful") succeeded(script, under, run, facts)
  else failed(script, under, run, body, facts)
  return undefined
}

/** The planner's word on presence may still be under way; the facts have it. */
const noticeWhetherPresent = (script: Script, facts: TargetFacts): void => {
  if (facts._tag === "Absent" && script.state.present) script.add({ _tag: "Left" })
  if (facts._tag !== "Absent" && !script.state.present) script.add({ _tag: "Joined" })
}

const absent = (script: Script, under: Deploying | Returning, run: EndedRun, successful: boolean): void => {
  const check = { _tag: "Unknown", reason: "the target left" } as const
  if (!successful) return script.add({ _tag: "Looked", waiting: false, window: script.state.window })
  script.add({
    _tag: "VerificationSuspended",
    phase:
      under._tag === "Returning"
        ? { _tag: "VerifyingReturn", from: under.from, run, check }
        : { _tag: "Verifying", run, check },
  })
}

const succeeded = (script: Script, under: Deploying | Returning, run: EndedRun, facts: TargetFacts): void => {
  if (under._tag === "Returning") return verify(script, facts, run, under.from)
  if (under.recalled === undefined || facts._tag !== "Found") return verify(script, facts, run, undefined)
  goBack(script, facts, { from: refOf(run), reason: under.recalled.reason, scope: "target" })
}

const failed = (
  script: Script,
  under: Deploying | Returning,
  run: EndedRun,
  { outcome, message }: JobSettled,
  facts: TargetFacts,
): void => {
  if (under._tag === "Returning" && run.interrupted !== true) {
    const said = `the return from ${under.from.tag} to ${run.tag} ended ${outcome}${message ? `: ${message}` : ""}`
    return script.add({ _tag: "HeldForPerson", about: refOf(run), reason: said })
  }
  if (under._tag === "Deploying" && under.recalled !== undefined && facts._tag === "Found") {
    return goBack(script, facts, { from: refOf(run), reason: under.recalled.reason, scope: "target" })
  }
  if (run.interrupted === true) return script.add({ _tag: "LookDue" })
  const rules = facts._tag === "Found" ? rulesOf(facts.binding, "retry").map(bound => bound.body) : []
  const { tries } = script.state
  const again = mayTryAgain({ rules, tries, now: script.moment.now })
  if (again._tag !== "Deny" && tries.length < triesMax) return script.add({ _tag: "LookDue" })
  failForGood(script, facts, { version: refOf(run), failure: { _tag: "TriesExhausted", outcome } })
}

/** After success: starts what the policies ask for, or confirms at once. `from`: the release was returned to. */
export const verify = (script: Script, facts: TargetFacts, run: EndedRun, from: VersionRef | undefined): void => {
  const returned = from === undefined ? {} : { from }
  const unreadable = whyUnreadable(facts, run)
  if (facts._tag !== "Found" || unreadable !== undefined) {
    const { phase } = script.state
    const known = (phase._tag === "Verifying" || phase._tag === "VerifyingReturn") && phase.check._tag === "Unknown"
    const reason = unreadable ?? "the target left"
    if (known && phase.check.reason === reason) return
    return script.add({ _tag: "VerificationPostponed", run, reason, ...returned })
  }
  const metrics = metricsToVerify(facts.binding)
  if (metrics.length === 0) return confirm(script, run, from, false)
  const { moment } = script
  const context = contextOf(facts, run)
  script.add({ _tag: "VerificationStarted", run, verificationId: moment.id(), metrics, context, ...returned })
}

const whyUnreadable = (facts: TargetFacts, run: EndedRun): string | undefined => {
  if (facts._tag === "Incomplete") return facts.missing
  if (facts._tag === "Absent") return "the target left"
  const unusable = facts.binding.unusable[0]
  if (unusable !== undefined) {
    return `policy "${unusable.policyName}" (${unusable.policyId}) cannot be used: ${unusable.message}`
  }
  return facts.versions.has(run.versionId) ? undefined : `the row of version ${run.tag} (${run.versionId}) is missing`
}

/** Semantics 7.3: what templates in providers and conditions see. */
const contextOf = ({ subject, versions }: Found, run: EndedRun): JsonObject => {
  const { deployment, environment, resource } = subject
  const version = versions.get(run.versionId)
  const releaseTarget = { deploymentId: deployment.id, environmentId: environment.id, resourceId: resource.id }
  const release = { id: run.releaseId, version, variables: {}, releaseTarget }
  return { release, resource, environment, version, deployment, target: {}, variables: {} } as unknown as JsonObject
}

export const verificationConcluded = (
  script: Script,
  body: VerificationConcluded,
  facts: TargetFacts,
): string | undefined => {
  const { phase } = script.state
  if (phase._tag !== "Verifying" && phase._tag !== "VerifyingReturn") return "no verification is under way"
  const { run, check } = phase
  if (check._tag !== "Running" || check.verificationId !== body.verificationId) {
    return `verification ${body.verificationId} is not the one under way`
  }
  const from = phase._tag === "VerifyingReturn" ? phase.from : undefined
  if (body.status === "passed") confirm(script, run, from, true)
  else if (from !== undefined) {
    const said = `${run.tag}, returned to from ${from.tag}, did not pass its verification: ${body.message}`
    script.add({ _tag: "HeldForPerson", about: refOf(run), reason: said, unverified: true })
  } else {
    const failure = { _tag: "VerificationFailed", message: body.message } as const
    failForGood(script, facts, { version: refOf(run), failure })
  }
  return undefined
}

const confirm = (script: Script, run: EndedRun, from: VersionRef | undefined, verified: boolean): void => {
  const release = { releaseId: run.releaseId, versionId: run.versionId, tag: run.tag }
  const hadFailed = setbackOf(script.state, run.versionId)?.failed === true
  if (from === undefined) script.add({ _tag: "Confirmed", release, verified, hadFailed })
  else script.add({ _tag: "RolledBack", from, to: release, verified })
  // In a batch of its own: the facts of this one were loaded for a result.
  script.add({ _tag: "LookDue" })
}

const refOf = ({ versionId, tag }: VersionRef): VersionRef => ({ versionId, tag })
