/**
 * gradualRollout: targets of one (deployment, environment) take a version one after another. `linear` and
 * `linear-normalized` follow a clock; `verified` follows health: a target goes when those ahead have settled, at most
 * `maxConcurrent` are unsettled or active, and nothing goes once more than `maxFailures` failed. Source: semantics 4.3
 * with section 13, api-additions "Bodies". The cap is only exact together with the guard row `rolloutGuard` names.
 */
import type { GradualRollout, RolloutScope } from "@sluice/domain/policy"
import { allow, type Verdict } from "@sluice/domain/verdict"
import { type Binding, rulesOf } from "./bind.ts"
import { type RolloutFacts, rolloutKey, type TargetSubject, type VerifiedRolloutFacts } from "./facts.ts"
import { deny, type Gate, type GateContext, instant, missingFact, scopeOf, wait } from "./gate.ts"
import { offsetSeconds } from "./rollout-order.ts"
import { rolloutStart } from "./rollout-start.ts"
import {
  membershipSubject,
  neighbourSubject,
  rollbackSubject,
  rolloutFailureSubject,
  rolloutSubject,
} from "./wait-subject.ts"

/** Waiting on more neighbours than this costs more rows than waiting on the whole pair. */
const neighboursMax = 20

export const gradualRollout: Gate<"gradualRollout"> = ({ body }, context) => {
  const { subject, candidate, facts, history } = context
  if (history.currentVersionId === candidate.version.id) {
    return allow({ details: { current_version_id: candidate.version.id } })
  }
  const scope = scopeOf(subject)
  const unbuilt = unbuiltPart(body)
  if (unbuilt !== undefined) {
    return wait(`this release of Sluice does not evaluate ${unbuilt} of a rollout yet`, [membershipSubject(scope)])
  }
  const key = rolloutKey({ versionId: candidate.version.id, targetKey: subject.key })
  const rollout = facts.rollouts.get(key)
  if (rollout === undefined) return missingFact("state of the rollout", key, [rolloutSubject(scope)])
  const halted = haltedBy(body, rollout)
  if (halted !== undefined) return wait(halted, [rolloutFailureSubject(scope)], { details: { failed: rollout.failed } })
  return body.rolloutType === "verified"
    ? byHealth(body, rollout.verified, context)
    : byClock(body, body.rolloutType, rollout, context)
}

/** Targets that may be unsettled or active at a time under a `verified` rollout. */
export const maxConcurrentOf = (body: GradualRollout): number => body.maxConcurrent ?? 1

/** The guard row that a batch takes ("update") in the commit that starts a job under a capped rollout. */
export const rolloutGuard = (scope: RolloutScope): string => `rollout:${scope.deploymentId}:${scope.environmentId}`

/** Does a `verified` rollout bind the target? Then a start takes the guard and the order is stored with the first start. */
export const isCapped = (binding: Binding): boolean => verifiedRollouts(binding).length > 0

/**
 * The cap alone, for a start that needs no new decision (another try of a release, a redeploy). Rollbacks are never held
 * by it.
 */
export const capVerdict = (binding: Binding, subject: TargetSubject, rollout: RolloutFacts | undefined): Verdict => {
  const scope = scopeOf(subject)
  const bodies = verifiedRollouts(binding)
  if (bodies.length === 0) return allow()
  if (rollout?.verified === undefined) return missingFact("state of the rollout", subject.key, [rolloutSubject(scope)])
  const full = capReached(Math.min(...bodies.map(maxConcurrentOf)), rollout.verified)
  return full === undefined ? allow() : wait(full, [rolloutSubject(scope)])
}

const verifiedRollouts = (binding: Binding): ReadonlyArray<GradualRollout> =>
  rulesOf(binding, "gradualRollout")
    .map(bound => bound.body)
    .filter(body => body.rolloutType === "verified")

const unbuiltPart = (body: GradualRollout): string | undefined => {
  if (body.waves !== undefined && body.waves.length > 0) return "waves"
  return (body.firstWaveBakeSeconds ?? 0) > 0 ? "the bake time" : undefined
}

/** `maxFailures` absent: 0 for `verified`, no budget for the clock types. */
const haltedBy = (body: GradualRollout, rollout: RolloutFacts): string | undefined => {
  const allowed = body.maxFailures ?? (body.rolloutType === "verified" ? 0 : Number.POSITIVE_INFINITY)
  if (rollout.failed <= allowed) return undefined
  return `rollout halted, ${rollout.failed} of ${allowed} failures allowed`
}

const byClock = (
  body: GradualRollout,
  type: "linear" | "linear-normalized",
  rollout: RolloutFacts,
  context: GateContext,
): Verdict => {
  const { subject, candidate, now } = context
  const scope = scopeOf(subject)
  // A failure budget is read again when it may have been spent; so is the order when targets come and go.
  const on = [membershipSubject(scope), ...(body.maxFailures === undefined ? [] : [rolloutFailureSubject(scope)])]
  const place = rollout.clock
  if (place === undefined) return deny("the target is not in the order of this rollout", on)
  const start = rolloutStart(context)
  const { tag } = candidate.version
  if (start === undefined) {
    // What starts the clock is waited on by those rules themselves.
    return wait(`the rollout of ${tag} starts once approvals and progression are satisfied`, on, {
      details: { rollout_start_time: null, target_rollout_time: null, target_rollout_position: place.position },
    })
  }
  const due = start + offsetSeconds(type, place, body.timeScaleInterval ?? 0) * 1000
  const details = {
    rollout_start_time: instant(start),
    target_rollout_time: instant(due),
    target_rollout_position: place.position,
    resource: subject.resource.name,
  }
  if (now >= due) return allow({ details })
  return wait(`${placeOf(place)} in the rollout of ${tag}, due ${instant(due)}`, on, { until: due, details })
}

const byHealth = (body: GradualRollout, rollout: VerifiedRolloutFacts | undefined, context: GateContext): Verdict => {
  const { subject, candidate, now } = context
  const scope = scopeOf(subject)
  if (rollout === undefined) return missingFact("order of the rollout", subject.key, [membershipSubject(scope)])
  const { tag } = candidate.version
  const details = {
    target_rollout_position: rollout.position,
    total: rollout.total,
    unsettled_ahead: rollout.unsettledAheadCount,
    ...(rollout.startedAt === undefined ? {} : { rollout_start_time: instant(rollout.startedAt) }),
  }
  const place = `${placeOf(rollout)} in the rollout of ${tag}`
  const failure = rolloutFailureSubject(scope)
  if (rollout.newerStarted !== undefined) {
    const on = [rollbackSubject(scope), rollbackSubject({ deploymentId: scope.deploymentId })]
    return deny(`${rollout.newerStarted.tag}, which is newer, has started in ${subject.environment.name}`, on, {
      details,
    })
  }
  const concurrent = maxConcurrentOf(body)
  const ahead = rollout.unsettledAhead
  const nearest = ahead[0]
  if (nearest !== undefined && ahead.length >= concurrent) {
    // Any `concurrent` of those ahead are enough: before the target may go, at least one of them has settled.
    const neighbours =
      concurrent > neighboursMax
        ? [rolloutSubject(scope)]
        : ahead.slice(0, concurrent).map(neighbour => neighbourSubject(neighbour.key))
    const on = [...neighbours, failure, membershipSubject(scope)]
    return wait(`${place}, waits for ${nearest.name} (${nearest.what})`, on, { details })
  }
  const full = capReached(concurrent, rollout)
  if (full !== undefined) return wait(`${place}, ${full}`, [rolloutSubject(scope), failure], { details })
  const next = (rollout.lastStartAt ?? 0) + (body.timeScaleInterval ?? 0) * 1000
  if (rollout.lastStartAt !== undefined && now < next) {
    const on = [failure, rolloutSubject(scope)]
    return wait(`${place}, the next start is due ${instant(next)}`, on, { until: next, details })
  }
  return allow({ details })
}

const capReached = (concurrent: number, rollout: VerifiedRolloutFacts): string | undefined =>
  rollout.activeOthers < concurrent
    ? undefined
    : `${rollout.activeOthers} of at most ${concurrent} ${concurrent === 1 ? "target is" : "targets are"} busy`

const placeOf = (place: { readonly position: number; readonly total: number }): string =>
  `place ${place.position + 1} of ${place.total}`
