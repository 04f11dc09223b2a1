/**
 * What the target says of itself while something is under way or it is held, in the shape of the rules' answers. And the
 * last step of every decision: record the answer and the waits if they changed.
 */
import { parseReleaseTargetKey } from "@sluice/domain/ids"
import { type Answer, sameAnswer } from "@sluice/rules/answer"
import { instant } from "@sluice/rules/gate"
import { rollbackSubject } from "@sluice/rules/wait-subject"
import type { Script } from "./script.ts"
import { type Phase, runOf, type TargetState, wirePhaseOf } from "./state.ts"

/** Appends what has to be recorded after the events of a decision. */
export const recordWhy = (script: Script): void => {
  const { state, looked } = script
  const resting = state.phase._tag === "Idle" || state.phase._tag === "Waiting"
  const base = state.present ? wakesWhatever(script.moment.key) : []
  const answer = !state.present ? gone(state) : resting ? looked?.answer : said(state.phase, base)
  if (answer !== undefined && !sameAnswer(answer, state.answer)) {
    const tell = answer.blocked?.reason !== undefined && answer.blocked.reason !== state.answer?.blocked?.reason
    script.add({ _tag: "Answered", phase: wirePhaseOf(state), answer, tell })
  }
  // Between a result and the look that follows it at once, the old waits stand.
  const waits = state.present && resting ? looked && [...new Set([...looked.waitsOn, ...base])].sort() : base
  if (waits !== undefined && !sameList(waits, state.waits)) script.add({ _tag: "WaitsChanged", subjects: waits })
}

/** A rollback of a wider scope concerns a target in every phase. */
const wakesWhatever = (key: string): ReadonlyArray<string> => {
  const parts = parseReleaseTargetKey(key)
  if (parts === undefined) return []
  const { deploymentId, environmentId } = parts
  return [rollbackSubject({ deploymentId, environmentId }), rollbackSubject({ deploymentId })].sort()
}

const gone = (state: TargetState): Answer => ({
  candidates: [],
  note:
    state.phase._tag === "Idle" ? "the target does not exist at present" : "the target left; what runs is being ended",
  waitsOn: [],
})

const said = (phase: Phase, waitsOn: ReadonlyArray<string>): Answer => {
  const common = { candidates: [], waitsOn }
  switch (phase._tag) {
    case "Idle":
    case "Waiting":
      return common
    case "Deploying":
    case "Returning":
    case "Verifying":
    case "VerifyingReturn": {
      const { versionId, tag } = runOf(phase)
      const unknown = "check" in phase && phase.check._tag === "Unknown" ? phase.check.reason : undefined
      return {
        ...common,
        desired: { versionId, tag },
        note: noteOn(phase),
        ...(unknown === undefined ? {} : { blocked: { versionId, tag, rule: "policy", reason: unknown, waitsOn: [] } }),
      }
    }
    case "Lost": {
      const { versionId, tag } = phase.was.run
      const seen = `last seen ${instant(phase.lastSeenAt)}`
      const reason = `job ${phase.jobId} of ${tag} may still be running, ${seen}: ${phase.message}`
      return { ...common, blocked: { versionId, tag, rule: "concurrency", reason, waitsOn: [] } }
    }
    case "Held": {
      const reason = `held for a person: ${phase.reason}`
      return { ...common, blocked: { ...phase.about, rule: "rollback", reason, waitsOn: [] } }
    }
  }
}

const noteOn = (phase: Extract<Phase, { readonly run: unknown }>): string => {
  const { tag, try: number } = phase.run
  const again = number === 1 ? "" : `, try ${number}`
  switch (phase._tag) {
    case "Deploying": {
      const recalled =
        phase.recalled === undefined ? "" : `, and goes back once the job is over: ${phase.recalled.reason}`
      return `deploying ${tag}${again}${overdue(phase.run.overdue)}${recalled}`
    }
    case "Returning":
      return `returning from ${phase.from.tag} to ${tag}${overdue(phase.run.overdue)}`
    case "Verifying":
      return `verifying ${tag}${overdue(phase.check._tag === "Running" && phase.check.overdue)}`
    case "VerifyingReturn":
      return `verifying ${tag}, returned to from ${phase.from.tag}${overdue(phase.check._tag === "Running" && phase.check.overdue)}`
  }
}

const overdue = (is: boolean | undefined): string => (is === true ? ", overdue: its end has not been heard of" : "")

const sameList = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): boolean =>
  a.length === b.length && a.every((item, i) => item === b[i])
