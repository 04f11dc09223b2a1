/** What an event makes of the state. Total: an event that does not fit the phase leaves the phase alone. */
import type { Moment } from "@sluice/actor/definition"
import { nextWindow } from "@sluice/rules/evaluate"
import type { EventOf, TargetEvent } from "./events.ts"
import {
  type Check,
  goodReleasesMax,
  initialState,
  type Phase,
  type ReleaseRef,
  type Run,
  releasesMax,
  type Setback,
  setbackOf,
  setbacksMax,
  type TargetState,
  triesMax,
  type VersionRef,
} from "./state.ts"

type When = Pick<Moment, "now">

export const evolve = (before: TargetState | undefined, event: TargetEvent, moment: When): TargetState => {
  const state = before ?? initialState
  switch (event._tag) {
    case "Joined":
      return { ...state, present: true }
    case "Left":
      return left(state)
    case "VerificationSuspended":
      return { ...state, phase: idle, suspended: event.phase }
    case "Looked":
      return looked(state, event)
    case "LookDue":
      return { ...state, evaluateAt: moment.now }
    case "Answered":
      return { ...state, answer: event.answer, answers: state.answers + 1 }
    case "WaitsChanged":
      return { ...state, waits: event.subjects }
    case "JobRequested":
      return started(state, event.run, { _tag: "Deploying", run: event.run })
    case "RollbackRequested": {
      const marked = withSetback(state, event.from, { rolledBack: true })
      return started(marked, event.run, { _tag: "Returning", from: event.from, run: event.run })
    }
    case "JobWasLost": {
      const { phase } = state
      if (phase._tag !== "Deploying" && phase._tag !== "Returning") return state
      const { jobId, lastSeenAt, message } = event
      return { ...state, phase: { _tag: "Lost", was: phase, jobId, lastSeenAt, message } }
    }
    case "JobWasFound":
      return state.phase._tag === "Lost" ? { ...state, phase: state.phase.was } : state
    case "PatienceRanOut":
      return { ...state, phase: overdue(state.phase) }
    case "TryEnded":
      return tryEnded(state, event)
    case "VerificationStarted":
      return checking(state, event, { _tag: "Running", verificationId: event.verificationId, startedAt: moment.now })
    case "VerificationPostponed":
      return checking(state, event, { _tag: "Unknown", reason: event.reason })
    case "Confirmed":
      return confirmed(withSetback(state, event.release, { failed: false }, true), event.release)
    case "VersionFailed":
      return withSetback({ ...state, phase: waiting }, event.version, {
        failed: true,
        reason: event.reason,
        at: moment.now,
      })
    case "Recalled":
      return state.phase._tag === "Deploying"
        ? { ...state, phase: { ...state.phase, recalled: { reason: event.reason } } }
        : state
    case "Quarantined":
      return withSetback(state, event.version, { quarantined: true, reason: event.reason, at: moment.now })
    case "RolledBack":
      return confirmed(state, event.to)
    case "HeldForPerson": {
      const { suspended: _, ...rest } = withoutTimer(state)
      return { ...rest, phase: { _tag: "Held", reason: event.reason, since: moment.now, about: event.about } }
    }
    case "QuarantineReleased":
      return event.versions.reduce(
        (released, version) => withSetback(released, version, { quarantined: false, failed: false }, true),
        state,
      )
    case "HoldReleased":
      return {
        ...state,
        phase: state.phase._tag === "Held" ? waiting : state.phase,
        setbacks: state.setbacks.map(setback => ({ ...setback, leftToPeople: true })),
      }
  }
}

const idle: Phase = { _tag: "Idle" }
const waiting: Phase = { _tag: "Waiting" }

const withoutTimer = (state: TargetState): TargetState => {
  const { evaluateAt: _, ...rest } = state
  return rest
}

const left = (state: TargetState): TargetState => {
  const gone = { ...withoutTimer(state), present: false }
  const { phase } = state
  switch (phase._tag) {
    case "Idle":
    case "Waiting":
      return { ...gone, phase: idle }
    case "Held":
      return gone
    case "Deploying":
    case "Returning":
      return { ...gone, phase: { ...phase, run: { ...phase.run, interrupted: true } } }
    case "Lost":
      return { ...gone, phase: { ...phase, was: { ...phase.was, run: { ...phase.was.run, interrupted: true } } } }
    case "Verifying":
    case "VerifyingReturn":
      return { ...gone, phase: idle, suspended: phase }
  }
}

const looked = (state: TargetState, event: EventOf<"Looked">): TargetState => ({
  ...withoutTimer(state),
  phase: event.waiting ? waiting : idle,
  window: event.window,
  ...(event.desired === undefined ? {} : { desired: event.desired }),
  ...(event.evaluateAt === undefined ? {} : { evaluateAt: event.evaluateAt }),
})

const refOf = ({ releaseId, versionId, tag }: ReleaseRef): ReleaseRef => ({ releaseId, versionId, tag })

const started = (before: TargetState, run: Run, phase: Phase): TargetState => {
  const { suspended: _, ...state } = withSetback(withoutTimer(before), run, { leftToPeople: false }, true)
  const release = refOf(run)
  const others = state.releases.filter(other => other.releaseId !== release.releaseId)
  const releases = [...others, { ...release, tries: run.try }]
  return {
    ...state,
    phase,
    lastTried: release,
    tries: state.lastTried?.releaseId === release.releaseId ? state.tries : [],
    releases: releases.slice(-releasesMax),
    releasesForgotten: state.releasesForgotten || releases.length > releasesMax,
    desired: { versionId: run.versionId, tag: run.tag },
    window: nextWindow(),
  }
}

const overdue = (phase: Phase): Phase => {
  switch (phase._tag) {
    case "Deploying":
    case "Returning":
      return { ...phase, run: { ...phase.run, overdue: true } }
    case "Verifying":
    case "VerifyingReturn":
      return phase.check._tag === "Running" ? { ...phase, check: { ...phase.check, overdue: true } } : phase
    default:
      return phase
  }
}

const tryEnded = (state: TargetState, event: EventOf<"TryEnded">): TargetState => ({
  ...state,
  phase: waiting,
  tries: event.counts
    ? [{ outcome: event.outcome, endedAt: event.at }, ...state.tries].slice(0, triesMax)
    : state.tries,
  ...(event.outcome === "successful" ? { current: refOf(event.run) } : {}),
})

const checking = (
  before: TargetState,
  event: EventOf<"VerificationStarted"> | EventOf<"VerificationPostponed">,
  check: Check,
): TargetState => {
  const { suspended: _, ...state } = before
  const { run, from } = event
  return {
    ...state,
    phase: from === undefined ? { _tag: "Verifying", run, check } : { _tag: "VerifyingReturn", from, run, check },
  }
}

const confirmed = (before: TargetState, release: ReleaseRef): TargetState => {
  const { suspended: _, ...state } = before
  const ref = refOf(release)
  return {
    ...state,
    phase: idle,
    good: [ref, ...state.good.filter(other => other.releaseId !== ref.releaseId)].slice(0, goodReleasesMax),
  }
}

/** `onlyKnown`: changes a setback that is there, and makes none. */
const withSetback = (
  state: TargetState,
  { versionId, tag }: VersionRef,
  change: Partial<Setback>,
  onlyKnown = false,
): TargetState => {
  const known = setbackOf(state, versionId)
  if (known === undefined && onlyKnown) return state
  const fresh = {
    versionId,
    tag,
    reason: "",
    at: 0,
    quarantined: false,
    rolledBack: false,
    failed: false,
    leftToPeople: false,
  }
  const others = state.setbacks.filter(setback => setback.versionId !== versionId)
  return { ...state, setbacks: [...others, { ...fresh, ...known, ...change }].slice(-setbacksMax) }
}
