/**
 * The transition table, written out: for every phase and every input who handles it and where that may lead, or why it is
 * refused. `decide` looks nothing else up, and a test walks every cell.
 */
import type { MessageOf } from "@sluice/protocol/catalogue"
import { look } from "./look.ts"
import { redeploy, releaseHold, releaseQuarantine } from "./people.ts"
import type { Script } from "./script.ts"
import { jobSettled, verificationConcluded } from "./settle.ts"
import type { PhaseName } from "./state.ts"
import type { TargetFacts } from "./target-facts.ts"
import { leave, watch } from "./watch.ts"

export type TargetMessage = MessageOf<"target">
/** `Look`: a `Reconcile`, or one of the timers `evaluate` and `second-look`. `Patience`: the timer of that name. */
export type InputName = Exclude<TargetMessage["type"], "Reconcile"> | "Look" | "Patience"
type BodyOf<N extends InputName> = Extract<TargetMessage, { readonly type: N }>["body"]

/** Adds events to the script, or answers why it refuses. */
type Handler<N extends InputName> = (script: Script, body: BodyOf<N>, facts: TargetFacts) => string | undefined
export type Cell<N extends InputName = InputName> =
  | { readonly _tag: "Handled"; readonly by: Handler<N>; readonly to: ReadonlyArray<PhaseName> }
  | Refusal
  | Ignored
interface Refusal {
  readonly _tag: "Refused"
  readonly why: string
}
/** Known, and changes nothing. */
interface Ignored {
  readonly _tag: "Ignored"
}

const go = <N extends InputName>(by: Handler<N>, ...to: ReadonlyArray<PhaseName>): Cell<N> => ({
  _tag: "Handled",
  by,
  to,
})
const no = (why: string): Refusal => ({ _tag: "Refused", why })
const ignored: Ignored = { _tag: "Ignored" }

const looking: Handler<"Look"> = (script, _body, facts) => {
  if (facts._tag === "Absent") leave(script)
  else {
    if (!script.state.present) script.add({ _tag: "Joined" })
    look(script, facts)
  }
  return undefined
}
const watching: Handler<"Look"> = (script, _body, facts) => {
  if (facts._tag === "Absent") leave(script)
  else {
    if (!script.state.present) script.add({ _tag: "Joined" })
    watch(script, facts)
  }
  return undefined
}
const lost: Handler<"JobLost"> = (script, { jobSetId, jobId, lastSeenAt, message }) => {
  const { phase } = script.state
  const run = phase._tag === "Deploying" || phase._tag === "Returning" ? phase.run : undefined
  if (run?.jobSetId !== jobSetId) return `job set ${jobSetId} is not the one under way`
  script.add({ _tag: "JobWasLost", jobId, lastSeenAt, message })
  return undefined
}
/** An agent that is heard of again takes the hold away. */
const found: Handler<"JobProgressed"> = (script, { jobSetId, jobId, status }) => {
  const { phase } = script.state
  if (phase._tag !== "Lost" || phase.was.run.jobSetId !== jobSetId) return "not the job set under way"
  if (phase.jobId === jobId) script.add({ _tag: "JobWasFound", jobId, status })
  return undefined
}
const overdue: Handler<"Patience"> = script => {
  script.add({ _tag: "PatienceRanOut" })
  return undefined
}

const resting = (self: "Idle" | "Waiting") => ({
  Look: go<"Look">(looking, "Idle", "Waiting", "Deploying", "Verifying", "Returning", "VerifyingReturn", "Held"),
  JobProgressed: ignored,
  JobSettled: no("no job set is under way"),
  JobLost: no("no job set is under way"),
  VerificationConcluded: no("no verification is under way"),
  Redeploy: go<"Redeploy">(redeploy, "Deploying"),
  ReleaseQuarantine: go<"ReleaseQuarantine">(releaseQuarantine, self),
  ReleaseHold: no("the target is not held"),
  Patience: ignored,
})

export const transitions: { readonly [P in PhaseName]: { readonly [N in InputName]: Cell<N> } } = {
  Idle: resting("Idle"),
  Waiting: resting("Waiting"),
  Deploying: {
    Look: go(watching, "Deploying"),
    JobProgressed: ignored,
    JobSettled: go(jobSettled, "Idle", "Waiting", "Verifying", "Returning", "Held"),
    JobLost: go(lost, "Lost"),
    VerificationConcluded: no("no verification is under way"),
    Redeploy: no("a job is under way"),
    ReleaseQuarantine: go(releaseQuarantine, "Deploying"),
    ReleaseHold: no("the target is not held"),
    Patience: go(overdue, "Deploying"),
  },
  Verifying: {
    Look: go(watching, "Idle", "Verifying", "Returning", "Held"),
    JobProgressed: ignored,
    JobSettled: no("no job set is under way"),
    JobLost: no("no job set is under way"),
    VerificationConcluded: go(verificationConcluded, "Idle", "Waiting", "Returning", "Held"),
    Redeploy: no("a verification is under way"),
    ReleaseQuarantine: go(releaseQuarantine, "Verifying"),
    ReleaseHold: no("the target is not held"),
    Patience: go(overdue, "Verifying"),
  },
  Returning: {
    Look: go(watching, "Returning"),
    JobProgressed: ignored,
    JobSettled: go(jobSettled, "Idle", "Waiting", "VerifyingReturn", "Held"),
    JobLost: go(lost, "Lost"),
    VerificationConcluded: no("no verification is under way"),
    Redeploy: no("a rollback is under way"),
    ReleaseQuarantine: go(releaseQuarantine, "Returning"),
    ReleaseHold: no("the target is not held"),
    Patience: go(overdue, "Returning"),
  },
  VerifyingReturn: {
    Look: go(watching, "Idle", "VerifyingReturn"),
    JobProgressed: ignored,
    JobSettled: no("no job set is under way"),
    JobLost: no("no job set is under way"),
    VerificationConcluded: go(verificationConcluded, "Idle", "Held"),
    Redeploy: no("a rollback is under way"),
    ReleaseQuarantine: go(releaseQuarantine, "VerifyingReturn"),
    ReleaseHold: no("the target is not held"),
    Patience: go(overdue, "VerifyingReturn"),
  },
  Lost: {
    Look: go(watching, "Lost"),
    JobProgressed: go(found, "Lost", "Deploying", "Returning"),
    JobSettled: go(jobSettled, "Idle", "Waiting", "Verifying", "Returning", "VerifyingReturn", "Held"),
    JobLost: ignored,
    VerificationConcluded: no("no verification is under way"),
    Redeploy: no("a job may still be running"),
    ReleaseQuarantine: go(releaseQuarantine, "Lost"),
    ReleaseHold: no("a job may still be running: whoever knows that it is over says so by setting the job's status"),
    Patience: ignored,
  },
  Held: {
    Look: go(holding, "Held"),
    JobProgressed: ignored,
    JobSettled: no("no job set is under way"),
    JobLost: no("no job set is under way"),
    VerificationConcluded: no("no verification is under way"),
    Redeploy: go(redeploy, "Deploying"),
    ReleaseQuarantine: go(releaseQuarantine, "Held"),
    ReleaseHold: go(releaseHold, "Waiting"),
    Patience: ignored,
  },
}

/** A held target starts nothing; it only notices whether it still exists. */
function holding(script: Script, _body: BodyOf<"Look">, facts: TargetFacts): string | undefined {
  if (facts._tag === "Absent") leave(script)
  else if (!script.state.present) script.add({ _tag: "Joined" })
  return undefined
}
