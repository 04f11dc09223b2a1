/**
 * What a release target knows between two messages: a union of phases, each with only the fields that are true in it, and
 * beside it the target's history, which outlives every phase. Plain JSON, as it is stored; every list has a bound.
 */
import type { TerminalJobStatus } from "@sluice/domain/job-status"
import type { Answer } from "@sluice/rules/answer"
import { nextWindow } from "@sluice/rules/evaluate"
import type { EndedTry } from "@sluice/rules/retry"

/** Raised whenever a stored state changes shape; `readState` lifts the older ones. */
export const stateSchemaVersion = 1

/** Known-good releases kept to return to: when a whole scope is taken back, the newest may be quarantined itself. */
export const goodReleasesMax = 10
/** A retry rule that allows more is not believed: this many job sets of one release are a loop. */
export const triesMax = 100
/** Releases remembered with their number of tries; older ones are looked up in their table. */
export const releasesMax = 50
/** Versions that failed or were taken back here; the oldest are forgotten once nobody could start them any more. */
export const setbacksMax = 50

export interface VersionRef {
  readonly versionId: string
  readonly tag: string
}
export interface ReleaseRef extends VersionRef {
  readonly releaseId: string
}

/** One job set of a release, under way or just ended. */
export interface Run extends ReleaseRef {
  readonly jobSetId: string
  /** 1-based: the how-manieth job set of this release. */
  readonly try: number
  readonly startedAt: number
  /** We asked for its end because the target left: an unsuccessful end then counts as no try. */
  readonly interrupted?: true
  /** It took longer than we have patience for, and nobody said why. */
  readonly overdue?: true
}

/** A verification of an ended run. */
export type Check =
  | { readonly _tag: "Running"; readonly verificationId: string; readonly startedAt: number; readonly overdue?: true }
  /** What is to be verified cannot be read at present; tried again with every look. */
  | { readonly _tag: "Unknown"; readonly reason: string }

export interface Deploying {
  readonly _tag: "Deploying"
  readonly run: Run
  /** The version was quarantined for the whole scope meanwhile: goes back once the job is over. */
  readonly recalled?: { readonly reason: string }
}
export interface Verifying {
  readonly _tag: "Verifying"
  readonly run: EndedRun
  readonly check: Check
}
/** A run whose jobs are over. */
export interface EndedRun extends Run {
  readonly jobIds: ReadonlyArray<string>
}
/** The job of the last known-good release is under way. */
export interface Returning {
  readonly _tag: "Returning"
  readonly from: VersionRef
  readonly run: Run
}
/** The release returned to is verified again. */
export interface VerifyingReturn {
  readonly _tag: "VerifyingReturn"
  readonly from: VersionRef
  readonly run: EndedRun
  readonly check: Check
}
/** A deadline passed without a confirmed end: the job may still be running, so nothing else may start (promise P1). */
export interface Lost {
  readonly _tag: "Lost"
  readonly was: Deploying | Returning
  readonly jobId: string
  readonly lastSeenAt: number
  readonly message: string
}

export type Phase =
  /** Nothing to do, and nothing will wake it but something new. */
  | { readonly _tag: "Idle" }
  /** Something newer, or another try, is not yet allowed; `answer` says what it waits for. */
  | { readonly _tag: "Waiting" }
  | Deploying
  | Verifying
  | Returning
  | VerifyingReturn
  | Lost
  /** Nothing starts until a person releases it. */
  | { readonly _tag: "Held"; readonly reason: string; readonly since: number; readonly about: VersionRef }
export type PhaseName = Phase["_tag"]
export const phaseNames = [
  "Idle",
  "Waiting",
  "Deploying",
  "Verifying",
  "Returning",
  "VerifyingReturn",
  "Lost",
  "Held",
] as const satisfies ReadonlyArray<PhaseName>

/** What went wrong with a version on this target. */
export interface Setback extends VersionRef {
  readonly reason: string
  readonly at: number
  readonly quarantined: boolean
  /** Taken back by itself: never a second time. */
  readonly rolledBack: boolean
  /** Counts against the failure budget of the version's rollout. */
  readonly failed: boolean
  /** A person released the hold that followed: going back is theirs from here. */
  readonly leftToPeople: boolean
}

export interface TargetState {
  readonly phase: Phase
  /** False: the target does not exist at present; nothing starts, what runs is settled. */
  readonly present: boolean
  /** What to verify when the target comes back: its job succeeded, but it left before that was checked. */
  readonly suspended?: Verifying | VerifyingReturn
  /** The release of the newest successful try. */
  readonly current?: ReleaseRef
  /** The release of the newest try, rollbacks included. */
  readonly lastTried?: ReleaseRef
  /** Ended tries of `lastTried` since another release was tried, newest first. */
  readonly tries: ReadonlyArray<EndedTry>
  /** Confirmed releases, newest first, each once. */
  readonly good: ReadonlyArray<ReleaseRef>
  /** Releases with their number of tries so far, least recently used first. */
  readonly releases: ReadonlyArray<ReleaseRef & { readonly tries: number }>
  /** Some releases are in their table only. */
  readonly releasesForgotten: boolean
  readonly setbacks: ReadonlyArray<Setback>
  /** The newest desired version: stays when nothing is allowed. */
  readonly desired?: VersionRef
  /** The recorded answer to "why", and how many were recorded. */
  readonly answer?: Answer
  readonly answers: number
  /** As registered in the wait index, sorted. */
  readonly waits: ReadonlyArray<string>
  /** How many candidates the next look is given. */
  readonly window: number
  /** When the `evaluate` timer is due, epoch milliseconds. */
  readonly evaluateAt?: number
}

export const initialState: TargetState = {
  phase: { _tag: "Idle" },
  present: true,
  tries: [],
  good: [],
  releases: [],
  releasesForgotten: false,
  setbacks: [],
  answers: 0,
  waits: [],
  window: nextWindow(),
}

/** Throws when the stored value is none of ours. */
export const readState = (stored: unknown, schemaVersion: number): TargetState => {
  if (schemaVersion !== stateSchemaVersion) throw new Error(`target state of unknown version ${schemaVersion}`)
  return stored as TargetState
}

export type WirePhase = "idle" | "waiting" | "deploying" | "verifying" | "rollingBack" | "held"
const wirePhases: Record<PhaseName, WirePhase> = {
  Idle: "idle",
  Waiting: "waiting",
  Deploying: "deploying",
  Verifying: "verifying",
  Returning: "rollingBack",
  VerifyingReturn: "rollingBack",
  Lost: "held",
  Held: "held",
}
export const wirePhaseOf = (state: TargetState): WirePhase => wirePhases[state.phase._tag]

export type Busy = Exclude<Phase, { readonly _tag: "Idle" | "Waiting" | "Held" }>
/** A job, a verification or a rollback is under way: the target takes a place under a rollout's cap. */
export const isBusy = (phase: Phase): phase is Busy =>
  phase._tag !== "Idle" && phase._tag !== "Waiting" && phase._tag !== "Held"

/** The run that a busy phase is about. */
export const runOf = (phase: Busy): Run => (phase._tag === "Lost" ? phase.was.run : phase.run)

/** The job set that may be acting (promise P1). */
export const activeJobSet = (state: TargetState): string | undefined => {
  const { phase } = state
  if (phase._tag === "Deploying" || phase._tag === "Returning") return phase.run.jobSetId
  return phase._tag === "Lost" ? phase.was.run.jobSetId : undefined
}

export const setbackOf = (state: TargetState, versionId: string): Setback | undefined =>
  state.setbacks.find(setback => setback.versionId === versionId)

export type Outcome = TerminalJobStatus
