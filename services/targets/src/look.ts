/**
 * A look: from the facts as they are now to the version this target should run, and to a job if that is not what runs.
 * Only for a target with nothing under way. What is not allowed becomes an answer, never an exception.
 */
import type { Answer, Blocked } from "@sluice/rules/answer"
import { rulesOf } from "@sluice/rules/bind"
import { type Evaluation, nextWindow } from "@sluice/rules/evaluate"
import { earliest } from "@sluice/rules/gate"
import { mayTryAgain } from "@sluice/rules/retry"
import { policiesSubject } from "@sluice/rules/wait-subject"
import { capFor, evaluateFor } from "./evaluation.ts"
import { failForGood, goBack } from "./fail.ts"
import type { Script } from "./script.ts"
import { verify } from "./settle.ts"
import { requestJob } from "./start.ts"
import { type Outcome, setbackOf, type TargetState, triesMax, type VersionRef } from "./state.ts"
import { type Found, scopeQuarantineOf, type TargetFacts } from "./target-facts.ts"

export const look = (script: Script, facts: Exclude<TargetFacts, { readonly _tag: "Absent" }>): void => {
  if (facts._tag === "Incomplete") return cannotRead(script, facts.missing)
  const { suspended } = script.state
  if (suspended !== undefined) {
    return verify(script, facts, suspended.run, suspended._tag === "VerifyingReturn" ? suspended.from : undefined)
  }
  const taken = takenBackWithOthers(script.state, facts)
  if (taken !== undefined) return goBack(script, facts, { ...taken, scope: "target" })
  const evaluation = evaluateFor(script, facts)
  // A result that came in the same batch loaded no candidates: look once more, with them.
  if (evaluation === undefined) return script.add({ _tag: "LookDue" })
  const window = nextWindow(script.state.window)
  if (evaluation.needsMore && window > script.state.window) {
    rest(script, evaluation, { answer: evaluation.answer, waiting: true, window })
    return script.add({ _tag: "LookDue" })
  }
  const { desired } = evaluation
  if (desired === undefined) return rest(script, evaluation, { answer: evaluation.answer, waiting: true })
  const version = { versionId: desired.candidate.version.id, tag: desired.candidate.version.tag }
  const held = heldBack(script, facts, version, desired.alreadyStarted)
  switch (held?._tag) {
    case undefined:
      return requestJob(script, facts, version, startReason(script.state, version))
    case "Runs":
      return rest(script, evaluation, { answer: evaluation.answer, desired: version, waiting: false })
    case "UsedUp":
      // Failing for good is normally said when the try ends; here the rules have changed since.
      if (setbackOf(script.state, version.versionId)?.failed !== true) {
        const failure = { _tag: "TriesExhausted", outcome: held.outcome } as const
        return failForGood(script, facts, { version, failure })
      }
      // Another version, or a rule that allows more tries: the first comes by itself, the second is an edit of a policy.
      return hold(script, evaluation, version, {
        rule: "retry",
        reason: held.reason,
        waitsOn: [policiesSubject(facts.subject.workspaceId)],
      })
    case "Held":
      return hold(script, evaluation, version, held.by)
  }
}

type Holding = Pick<Blocked, "rule" | "reason" | "waitsOn" | "until">

type HeldBack =
  /** It has succeeded here, and a success is not run again. */
  | { readonly _tag: "Runs" }
  | { readonly _tag: "UsedUp"; readonly reason: string; readonly outcome: Outcome }
  | { readonly _tag: "Held"; readonly by: Holding }

/** Why the desired version is not started now; undefined: it is. */
const heldBack = (
  { state, moment }: Script,
  facts: Found,
  version: VersionRef,
  alreadyStarted: boolean,
): HeldBack | undefined => {
  const tries = state.lastTried?.versionId === version.versionId ? state.tries : []
  const newest = tries[0]
  if (newest !== undefined) {
    if (newest.outcome === "successful") return { _tag: "Runs" }
    const rules = rulesOf(facts.binding, "retry").map(bound => bound.body)
    const verdict = mayTryAgain({ rules, tries, now: moment.now })
    const reason = verdict._tag === "Allow" ? `${triesMax} tries are as many as Sluice makes` : verdict.reason
    if (verdict._tag === "Deny" || tries.length >= triesMax) return { _tag: "UsedUp", reason, outcome: newest.outcome }
    if (verdict._tag === "Wait") {
      const until = verdict.until === undefined ? {} : { until: verdict.until }
      return { _tag: "Held", by: { rule: "retry", reason: `${version.tag}: ${reason}`, waitsOn: [], ...until } }
    }
  }
  if (!alreadyStarted) return undefined
  // The rules were not asked about a version that has been started: what binds every start is asked here.
  const unusable = facts.binding.unusable[0]
  if (unusable !== undefined) {
    const reason = `policy "${unusable.policyName}" (${unusable.policyId}) cannot be used: ${unusable.message}`
    return { _tag: "Held", by: { rule: "policy", reason, waitsOn: [policiesSubject(facts.subject.workspaceId)] } }
  }
  const cap = capFor(facts, version.versionId)
  if (cap._tag === "Allow") return undefined
  return { _tag: "Held", by: { rule: "gradualRollout", reason: `${version.tag}: ${cap.reason}`, waitsOn: cap.on } }
}

/** What runs here was quarantined for its whole environment or deployment: this target goes back too. */
const takenBackWithOthers = (state: TargetState, facts: Found) => {
  for (const release of [state.lastTried, state.current]) {
    if (release === undefined) continue
    const quarantine = scopeQuarantineOf(facts, release.versionId)
    const setback = setbackOf(state, release.versionId)
    if (quarantine === undefined || setback?.leftToPeople === true) continue
    return { from: { versionId: release.versionId, tag: release.tag }, reason: quarantine.reason }
  }
  return undefined
}

const startReason = (state: TargetState, version: VersionRef): string => {
  const tries = state.lastTried?.versionId === version.versionId ? state.tries.length : 0
  return tries === 0 ? `${version.tag} is desired` : `${version.tag} is tried again, ${tries} failed`
}

/** The desired version is not what runs, and something holds it that is no gate of the version. */
const hold = (script: Script, evaluation: Evaluation, version: VersionRef, by: Holding): void => {
  const waitsOn = [...new Set([...evaluation.waitsOn, ...by.waitsOn])].sort()
  const nextEvaluationAt = earliest([evaluation.askAgainAt, by.until])
  const answer: Answer = {
    ...evaluation.answer,
    blocked: { ...version, ...by },
    waitsOn,
    ...(nextEvaluationAt === undefined ? {} : { nextEvaluationAt }),
  }
  rest(
    script,
    { waitsOn, ...(nextEvaluationAt === undefined ? {} : { askAgainAt: nextEvaluationAt }) },
    {
      answer,
      desired: version,
      waiting: true,
    },
  )
}

/** Nothing starts. `waiting`: when something in the answer can still change by itself or by somebody's deed. */
const rest = (
  script: Script,
  evaluation: { readonly waitsOn: ReadonlyArray<string>; readonly askAgainAt?: number },
  how: { readonly answer: Answer; readonly waiting: boolean; readonly desired?: VersionRef; readonly window?: number },
): void => {
  const { answer, desired, window = script.state.window } = how
  const { blocked } = answer
  const awaited = blocked !== undefined && (blocked.waitsOn.length > 0 || blocked.until !== undefined)
  const waiting = awaited || (how.waiting && blocked !== undefined)
  const { askAgainAt } = evaluation
  script.looked = { answer, waitsOn: evaluation.waitsOn }
  const { state } = script
  const changes =
    state.phase._tag !== (waiting ? "Waiting" : "Idle") ||
    state.evaluateAt !== askAgainAt ||
    state.window !== window ||
    (desired !== undefined && state.desired?.versionId !== desired.versionId)
  if (!changes) return
  script.add({
    _tag: "Looked",
    waiting,
    window,
    ...(desired === undefined ? {} : { desired }),
    ...(askAgainAt === undefined ? {} : { evaluateAt: askAgainAt }),
  })
}

/** A row that should be there is not: nothing is decided, and the answer names it. Its repair reconciles the target. */
const cannotRead = (script: Script, missing: string): void => {
  const waitsOn: ReadonlyArray<string> = script.state.waits
  const about = script.state.desired ?? { versionId: "", tag: "" }
  const blocked: Blocked = { ...about, rule: "policy", reason: missing, waitsOn }
  rest(script, { waitsOn }, { answer: { candidates: [], blocked, waitsOn }, waiting: true })
}
