/** What follows from an event: messages, timers, guards, rows, public events, and whom to wake. Pure. */
import { type ActorEffect, cancelTimer, type Moment, project, send, setTimer } from "@sluice/actor/definition"
import type { EnvironmentId } from "@sluice/domain/ids"
import type { StartJobs } from "@sluice/protocol/job"
import type { StartVerification } from "@sluice/protocol/verification"
import { rolloutGuard } from "@sluice/rules/gradual-rollout"
import { stopGuard } from "@sluice/rules/stop-guard"
import { tell, tellHalted } from "./announce.ts"
import type { EventOf, TargetEvent } from "./events.ts"
import { failureGuard } from "./guards.ts"
import { type Place, placeOf, releaseEffect, statusEffect, versionEffect } from "./rows.ts"
import { isBusy, type Run, runOf, type TargetState } from "./state.ts"
import { evaluateTimer, jobPatience, patienceTimer, secondLookTimer, verificationPatience } from "./timers.ts"
import { wakes } from "./wakes.ts"

type Effects = ReadonlyArray<ActorEffect>

/** `state` is the state after the event. */
export const react = (state: TargetState, event: TargetEvent, moment: Moment): Effects => {
  const place = placeOf(moment)
  return [
    ...effectsOf(state, event, place, moment),
    ...(event._tag === "WaitsChanged" ? [] : [statusEffect(state, place, moment.now)]),
    ...wakes(event, place, moment),
  ]
}

const effectsOf = (state: TargetState, event: TargetEvent, place: Place, moment: Moment): Effects => {
  switch (event._tag) {
    case "Joined":
    case "VerificationSuspended":
    case "PatienceRanOut":
      return []
    case "Left":
      return [
        cancelTimer(evaluateTimer),
        ...(event.abandons === undefined ? [] : [cancelTimer(patienceTimer)]),
        ...stopWhatRuns(event, place),
      ]
    case "Looked":
      return [event.evaluateAt === undefined ? cancelTimer(evaluateTimer) : setTimer(evaluateTimer, event.evaluateAt)]
    case "LookDue":
      return [setTimer(evaluateTimer, moment.now)]
    case "Answered":
      return answered(state, event, place, moment)
    case "WaitsChanged": {
      const { targetKey, workspaceId } = place
      const row = project("wait", { targetKey, workspaceId, subjects: event.subjects })
      // What happened between our facts and this commit woke nobody: look again, in a transaction of its own.
      return event.subjects.length === 0 ? [row] : [row, setTimer(secondLookTimer, moment.now)]
    }
    case "JobRequested":
      return jobRequested(event, place, moment)
    case "RollbackRequested":
      return rollbackRequested(event, place, moment)
    case "JobWasLost": {
      const { jobId, lastSeenAt, message } = event
      return [tell("target.held", place, { reason: message, jobId, lastSeenAt, kind: "lost" })]
    }
    case "JobWasFound": {
      const reason = `job ${event.jobId} was heard of again: ${event.status}`
      const rolling = state.phase._tag === "Returning"
      return [tell(rolling ? "target.rollingBack" : "target.deploying", place, { reason, ...busyWith(state) })]
    }
    case "TryEnded":
      return tryEnded(event, place)
    case "VerificationStarted":
      return verificationStarted(event, place, moment)
    case "VerificationPostponed":
      return [versionEffect(place, event.run.versionId, { verification: "running" })]
    case "Confirmed":
      return confirmed(event, place, moment)
    case "VersionFailed":
      return versionFailed(event, place, moment)
    case "Recalled": {
      const body = { reason: event.reason }
      return [sendTo(place, "job", event.cancels, "CancelJobs", body)]
    }
    case "Quarantined":
      return quarantined(event, place, moment)
    case "RolledBack":
      return rolledBack(event, place, moment)
    case "HeldForPerson": {
      const { reason, about, unverified } = event
      return [
        ...(unverified === true ? [versionEffect(place, about.versionId, { verification: "failed" })] : []),
        cancelTimer(evaluateTimer),
        cancelTimer(patienceTimer),
        ...stopWhatRuns(event, place),
        tell("target.held", place, { reason, kind: "person", ...about }),
      ]
    }
    case "QuarantineReleased":
      return quarantineReleased(event, place, moment)
    case "HoldReleased":
      return []
  }
}

const sendTo = (place: Place, kind: "job" | "verification", key: string, type: string, body: unknown): ActorEffect =>
  send({ kind, workspaceId: place.workspaceId, key, type, body })

const stopWhatRuns = (event: { readonly cancels?: string; readonly abandons?: string }, place: Place): Effects => [
  ...(event.cancels === undefined
    ? []
    : [sendTo(place, "job", event.cancels, "CancelJobs", { reason: "target left" })]),
  ...(event.abandons === undefined
    ? []
    : [sendTo(place, "verification", event.abandons, "AbandonVerification", { reason: "no longer wanted" })]),
]

const busyWith = ({ phase }: TargetState) => (isBusy(phase) ? named(runOf(phase)) : {})

const named = ({ versionId, tag, releaseId }: Run) => ({ versionId, tag, releaseId })

const answered = (state: TargetState, event: EventOf<"Answered">, place: Place, moment: Moment): Effects => {
  const { answer, phase } = event
  const { targetKey, workspaceId } = place
  const row = project("target_why", {
    targetKey,
    workspaceId,
    at: moment.now,
    sequence: state.answers,
    phase,
    answer,
    ...(answer.desired === undefined ? {} : { desiredVersionId: answer.desired.versionId }),
  })
  const { blocked } = answer
  if (phase !== "waiting" || blocked === undefined || !event.tell) return [row]
  const { versionId, tag, rule, reason } = blocked
  return [row, tell("target.waiting", place, { versionId, tag, rule, reason, waitsOn: blocked.waitsOn })]
}

/** What every offer of a job does in its commit: sees a stop or is seen by it, and under a cap excludes others. */
const starting = (run: Run, capped: boolean, place: Place, moment: Moment): Effects => [
  { _tag: "Guard", name: stopGuard(place.workspaceId), mode: "share" },
  ...(capped ? [{ _tag: "Guard", name: rolloutGuard(place), mode: "update" } as const] : []),
  cancelTimer(evaluateTimer),
  setTimer(patienceTimer, moment.now + jobPatience, { jobSetId: run.jobSetId }),
]

const startJobs = (run: Run, purpose: StartJobs["purpose"], reason: string, place: Place): ActorEffect => {
  const { jobSetId, releaseId, versionId } = run
  const body: StartJobs = { jobSetId, targetKey: place.targetKey, releaseId, versionId, try: run.try, purpose, reason }
  return sendTo(place, "job", jobSetId, "StartJobs", body)
}

const jobRequested = (event: EventOf<"JobRequested">, place: Place, moment: Moment): Effects => {
  const { run, reason, newRelease, capped } = event
  const { deploymentId, environmentId, workspaceId, targetKey } = place
  const order = { deploymentId, environmentId, workspaceId, targetKey, versionId: run.versionId, startedAt: moment.now }
  return [
    ...starting(run, capped, place, moment),
    startJobs(run, "deploy", reason, place),
    ...(newRelease ? [releaseEffect(place, run, moment.now)] : []),
    versionEffect(place, run.versionId, { startedAt: moment.now }),
    ...(capped ? [project("rollout_position", order)] : []),
    tell("target.deploying", place, { ...named(run), try: run.try, jobSetId: run.jobSetId, reason }),
  ]
}

const rollbackRequested = (event: EventOf<"RollbackRequested">, place: Place, moment: Moment): Effects => {
  const { run, reason, capped, from } = event
  return [
    ...stopWhatRuns(event, place),
    ...starting(run, capped, place, moment),
    startJobs(run, "rollback", reason, place),
    tell("target.rollingBack", place, { from: from.tag, fromVersionId: from.versionId, ...named(run), reason }),
  ]
}

const tryEnded = (event: EventOf<"TryEnded">, place: Place): Effects => {
  const { run, outcome, at, message } = event
  const successful = outcome === "successful"
  return [
    cancelTimer(patienceTimer),
    versionEffect(place, run.versionId, { outcome: { status: outcome, at } }),
    ...(successful
      ? []
      : [
          tell("target.failed", place, {
            ...named(run),
            outcome,
            try: run.try,
            ...(message ? { reason: message } : {}),
          }),
        ]),
  ]
}

const verificationStarted = (event: EventOf<"VerificationStarted">, place: Place, moment: Moment): Effects => {
  const { run, verificationId, metrics, context } = event
  const { jobSetId, jobIds, releaseId, versionId } = run
  const { targetKey } = place
  const body: StartVerification = {
    verificationId,
    targetKey,
    jobSetId,
    jobIds,
    releaseId,
    versionId,
    metrics,
    context,
  }
  return [
    sendTo(place, "verification", verificationId, "StartVerification", body),
    setTimer(patienceTimer, moment.now + verificationPatience(metrics), { verificationId }),
    versionEffect(place, versionId, { verification: "running" }),
    tell("target.verifying", place, { ...named(run), verificationId }),
  ]
}

const confirmed = (event: EventOf<"Confirmed">, place: Place, moment: Moment): Effects => {
  const { release, verified } = event
  return [
    cancelTimer(patienceTimer),
    versionEffect(place, release.versionId, {
      settledAt: moment.now,
      clearsFailure: true,
      ...(verified ? { verification: "passed" as const, verifiedAt: moment.now } : { verification: "none" as const }),
    }),
    tell("target.confirmed", place, { ...release, verified }),
  ]
}

const versionFailed = (event: EventOf<"VersionFailed">, place: Place, moment: Moment): Effects => {
  const { version, reason, by, halted } = event
  return [
    cancelTimer(patienceTimer),
    // Failures are counted against budgets and thresholds: two at a time must see each other.
    { _tag: "Guard", name: rolloutGuard(place), mode: "update" },
    { _tag: "Guard", name: failureGuard(place.deploymentId), mode: "update" },
    versionEffect(place, version.versionId, {
      failedAt: moment.now,
      ...(by === "verification" ? { verification: "failed" as const } : {}),
    }),
    ...(by === "verification" ? [tell("target.failed", place, { ...version, reason })] : []),
    ...(halted === undefined ? [] : [tellHalted(place, version, halted)]),
  ]
}

const scopeColumn = (scope: "environment" | "deployment", place: Place): EnvironmentId | "deployment" =>
  scope === "environment" ? place.environmentId : "deployment"

const quarantined = (event: EventOf<"Quarantined">, place: Place, moment: Moment): Effects => {
  const { version, reason, scope } = event
  const { deploymentId, workspaceId } = place
  const { versionId } = version
  return [
    versionEffect(place, versionId, { quarantine: { at: moment.now, reason } }),
    ...(scope === "target"
      ? []
      : [
          project("quarantine", {
            _tag: "Quarantined",
            ...{ deploymentId, workspaceId, versionId, reason },
            scope: scopeColumn(scope, place),
            at: moment.now,
          }),
        ]),
    tell("version.quarantined", place, { ...version, scope, reason }, versionId),
  ]
}

const rolledBack = (event: EventOf<"RolledBack">, place: Place, moment: Moment): Effects => {
  const { from, to, verified } = event
  return [
    cancelTimer(patienceTimer),
    versionEffect(place, to.versionId, {
      settledAt: moment.now,
      ...(verified ? { verification: "passed" as const, verifiedAt: moment.now } : {}),
    }),
    tell("target.rolledBack", place, { from: from.tag, fromVersionId: from.versionId, ...to, verified }),
  ]
}

const quarantineReleased = (event: EventOf<"QuarantineReleased">, place: Place, moment: Moment): Effects => [
  ...event.versions.map(version =>
    versionEffect(place, version.versionId, { clearsFailure: true, clearsQuarantine: true }),
  ),
  ...event.scopes.map(({ versionId, scope }) =>
    project("quarantine", {
      _tag: "Released",
      deploymentId: place.deploymentId,
      scope: scopeColumn(scope, place),
      versionId,
      at: moment.now,
    }),
  ),
]
