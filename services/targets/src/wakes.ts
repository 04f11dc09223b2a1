/** Whom an event may concern: the wait subjects it wakes, exactly as `rules/wait-subject.ts` says who wakes each. */
import { type ActorEffect, activity, type Moment } from "@sluice/actor/definition"
import type { WaitSubject } from "@sluice/domain/verdict"
import type { WakeWaiting } from "@sluice/protocol/activities"
import {
  neighbourSubject,
  progressionSubject,
  rollbackSubject,
  rolloutFailureSubject,
  rolloutSubject,
} from "@sluice/rules/wait-subject"
import type { TargetEvent } from "./events.ts"
import type { Place } from "./rows.ts"

export const wakes = (event: TargetEvent, place: Place, moment: Moment): ReadonlyArray<ActorEffect> => {
  const found = wokenBy(event, place)
  if (found === undefined) return []
  const payload: WakeWaiting = { subjects: found.subjects, reason: found.reason }
  return [activity("wake-waiting", moment.id(), payload)]
}

const wokenBy = (
  event: TargetEvent,
  place: Place,
): { readonly subjects: ReadonlyArray<WaitSubject>; readonly reason: string } | undefined => {
  const neighbour = neighbourSubject(place.targetKey as Parameters<typeof neighbourSubject>[0])
  const [progression, rollout, failure] = [
    progressionSubject(place),
    rolloutSubject(place),
    rolloutFailureSubject(place),
  ]
  switch (event._tag) {
    case "TryEnded":
      return event.outcome === "successful"
        ? { subjects: [progression, rollout], reason: `${event.run.tag} succeeded on a target` }
        : { subjects: [rollout], reason: `a try of ${event.run.tag} ended ${event.outcome}` }
    case "Confirmed":
      return {
        subjects: [progression, rollout, neighbour, ...(event.hadFailed ? [failure] : [])],
        reason: `${event.release.tag} is confirmed on a target`,
      }
    case "VersionFailed":
      return { subjects: [failure, neighbour, rollout], reason: `${event.version.tag} failed on a target` }
    case "Quarantined":
      if (event.scope === "target") return undefined
      return {
        subjects: [
          event.scope === "environment"
            ? rollbackSubject(place)
            : rollbackSubject({ deploymentId: place.deploymentId }),
        ],
        reason: `${event.version.tag} is quarantined`,
      }
    case "RolledBack":
      return {
        subjects: [progression, rollout, neighbour],
        reason: `a target returned from ${event.from.tag} to ${event.to.tag}`,
      }
    case "HeldForPerson":
      return { subjects: [rollout, neighbour], reason: "a target is held for a person" }
    case "Left":
      return { subjects: [rollout, neighbour], reason: "a target left" }
    case "QuarantineReleased":
      return {
        subjects: [failure, neighbour, ...scopesOf(event, place)],
        reason: "a person released a quarantine",
      }
    case "HoldReleased":
      return { subjects: [neighbour], reason: "a person released a hold" }
    default:
      return undefined
  }
}

const scopesOf = (
  event: Extract<TargetEvent, { readonly _tag: "QuarantineReleased" }>,
  place: Place,
): ReadonlyArray<WaitSubject> => {
  const scopes = new Set(event.scopes.map(({ scope }) => scope))
  return [...scopes].map(scope =>
    scope === "environment" ? rollbackSubject(place) : rollbackSubject({ deploymentId: place.deploymentId }),
  )
}
