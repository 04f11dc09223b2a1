/**
 * environmentProgression: this version has succeeded on enough targets of the environments depended on, has soaked there
 * and is not too old. Environments are combined by "any" (one is enough) or "all". Formulas: semantics 4.2 with section
 * 13: percentages with a tolerance, satisfied at max(success times) + soak, exact wakes, no timer for an expired age.
 */
import type { Environment } from "@sluice/domain/entities"
import type { DeploymentId, VersionId } from "@sluice/domain/ids"
import type { EnvironmentProgression } from "@sluice/domain/policy"
import { allow, type Verdict } from "@sluice/domain/verdict"
import type { Expressions } from "./expressions.ts"
import {
  type ProgressionNeed,
  type ProgressionStatistics,
  progressionKey,
  requiredSuccesses,
  type TargetSubject,
} from "./facts.ts"
import {
  deny,
  earliest,
  type Gate,
  type GateContext,
  hoursMs,
  instant,
  latest,
  minutesMs,
  missingFact,
  wait,
} from "./gate.ts"
import { environmentsSubject, membershipSubject, policiesSubject, progressionSubject } from "./wait-subject.ts"

export const environmentProgression: Gate<"environmentProgression"> = ({ body }, context) => {
  const { subject, candidate, expressions } = context
  const found = dependencyEnvironments(body, subject, expressions)
  if (found._tag === "Failed") {
    return deny(`the environment selector cannot be evaluated: ${found.message}`, [
      policiesSubject(subject.workspaceId),
    ])
  }
  const environmentsOn = environmentsSubject(subject.workspaceId)
  if (found.environments.length === 0) {
    return deny(`no other environment of the same system matches "${body.dependsOnEnvironmentSelector}"`, [
      environmentsOn,
    ])
  }
  const results = found.environments.map(environment => ({
    environment,
    verdict: inEnvironment(body, environment, context),
  }))
  const verdicts = results.map(result => result.verdict)
  const allowed = verdicts.filter(verdict => verdict._tag === "Allow")
  const all = body.combine === "all"
  const details = {
    version_id: candidate.version.id,
    environment_count: results.length,
    successful_environments: allowed.length,
    ...Object.fromEntries(
      results.map(({ environment, verdict }) => [`environment_${environment.id}`, verdict.details]),
    ),
  }
  if (all ? allowed.length === verdicts.length : allowed.length > 0) {
    const satisfied = allowed.map(verdict => verdict.satisfiedAt)
    const satisfiedAt = all ? latest(satisfied) : earliest(satisfied)
    const lapses = allowed.map(verdict => verdict.askAgainAt)
    const lapse = all ? earliest(lapses) : lapses.includes(undefined) ? undefined : latest(lapses)
    return allow({
      details,
      ...(satisfiedAt === undefined ? {} : { satisfiedAt }),
      ...(lapse === undefined ? {} : { askAgainAt: lapse }),
    })
  }
  const waiting = verdicts.filter(verdict => verdict._tag !== "Allow")
  const ends = waiting.map(verdict => (verdict._tag === "Wait" ? verdict.until : undefined))
  // "all": as long as one of them needs more than time, no moment changes the answer.
  const until = all ? (ends.includes(undefined) ? undefined : latest(ends)) : earliest(ends)
  return wait(
    waiting.map(verdict => verdict.reason).join("; "),
    [...new Set([...waiting.flatMap(verdict => verdict.on), environmentsOn])],
    { action: "wait", details, ...(until === undefined ? {} : { until }) },
  )
}

export type DependencyEnvironments =
  | { readonly _tag: "Found"; readonly environments: ReadonlyArray<Environment> }
  | { readonly _tag: "Failed"; readonly message: string }

/** The environments depended on, by id. A key that an environment lacks means that this one is not meant. */
export const dependencyEnvironments = (
  body: EnvironmentProgression,
  subject: Pick<TargetSubject, "siblings" | "environment">,
  expressions: Expressions,
): DependencyEnvironments => {
  const environments: Array<Environment> = []
  for (const environment of [...subject.siblings].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    if (environment.id === subject.environment.id) continue
    const tested = expressions.test("environmentSelector", body.dependsOnEnvironmentSelector, { environment })
    if (tested._tag === "Failed") return { _tag: "Failed", message: tested.message }
    if (tested._tag === "Match") environments.push(environment)
  }
  return { _tag: "Found", environments }
}

export const progressionNeed = (
  body: EnvironmentProgression,
  of: { readonly deploymentId: DeploymentId; readonly versionId: VersionId; readonly environment: Environment },
): ProgressionNeed => {
  const need = {
    deploymentId: of.deploymentId,
    versionId: of.versionId,
    environmentId: of.environment.id,
    successStatuses: [...(body.successStatuses ?? ["successful" as const])].sort(),
    requireVerification: body.requireVerificationPassed ?? false,
    minimumPercentage: body.minimumSuccessPercentage ?? 0,
  }
  return { ...need, key: progressionKey(need) }
}

const inEnvironment = (body: EnvironmentProgression, environment: Environment, context: GateContext): Verdict => {
  const { subject, candidate, facts } = context
  const deploymentId = subject.deployment.id
  const scope = { deploymentId, environmentId: environment.id }
  const on = [progressionSubject(scope), membershipSubject(scope)]
  const need = progressionNeed(body, { deploymentId, versionId: candidate.version.id, environment })
  const statistics = facts.progressions.get(need.key)
  if (statistics === undefined) return missingFact(`progress in ${environment.name}`, need.key, on)

  if (statistics.targets === 0) {
    return body.emptyEnvironment === "deny"
      ? wait(`${environment.name} has no targets`, on)
      : allow({ satisfiedAt: candidate.createdAt, details: { targets: 0, environment: environment.name } })
  }
  const details = detailsOf(body, environment, statistics)
  const { tag } = candidate.version
  const needed = requiredSuccesses(statistics.targets, need.minimumPercentage)
  if (statistics.succeeded < needed || statistics.kthSuccessAt === undefined) {
    const verb = need.requireVerification ? "succeeded and verified" : "succeeded"
    const { succeeded, targets } = statistics
    return wait(`${tag} ${verb} on ${succeeded} of ${targets} targets in ${environment.name}, needs ${needed}`, on, {
      details,
    })
  }
  return soakAndAge(
    body,
    { environment, statistics, kthSuccessAt: statistics.kthSuccessAt, tag, on, details },
    context.now,
  )
}

const soakAndAge = (
  body: EnvironmentProgression,
  passed: {
    readonly environment: Environment
    readonly statistics: ProgressionStatistics
    readonly kthSuccessAt: number
    readonly tag: string
    readonly on: ReadonlyArray<ReturnType<typeof progressionSubject>>
    readonly details: Readonly<Record<string, unknown>>
  },
  now: number,
): Verdict => {
  const { environment, statistics, kthSuccessAt, tag, on, details } = passed
  const soakMs = minutesMs(body.minimumSoakTimeMinutes ?? 0)
  // The last target to succeed for the first time starts the soak; running again on a target does not.
  const soakedAt = (statistics.latestOfEarliestSuccessAt ?? kthSuccessAt) + soakMs
  if (soakMs > 0 && now < soakedAt) {
    return wait(`${tag} soaks in ${environment.name} until ${instant(soakedAt)}`, on, { until: soakedAt, details })
  }
  const ageMs = hoursMs(body.maximumAgeHours ?? 0)
  const mostRecent = statistics.mostRecentSuccessAt ?? kthSuccessAt
  if (ageMs > 0 && now - mostRecent > ageMs) {
    const reason = `the last success of ${tag} in ${environment.name} is older than ${body.maximumAgeHours} hours`
    return wait(reason, on, { details })
  }
  return allow({
    satisfiedAt: soakMs > 0 ? Math.max(kthSuccessAt, soakedAt) : kthSuccessAt,
    details,
    // Still young enough at exactly the maximum age.
    ...(ageMs > 0 ? { askAgainAt: mostRecent + ageMs + 1 } : {}),
  })
}

const detailsOf = (body: EnvironmentProgression, environment: Environment, statistics: ProgressionStatistics) => ({
  environment: environment.name,
  targets: statistics.targets,
  succeeded: statistics.succeeded,
  success_percentage: (100 * statistics.succeeded) / statistics.targets,
  minimum_success_percentage: body.minimumSuccessPercentage ?? 0,
  soak_minutes: body.minimumSoakTimeMinutes ?? 0,
  ...(statistics.mostRecentSuccessAt === undefined
    ? {}
    : { most_recent_success: instant(statistics.mostRecentSuccessAt) }),
  ...(body.maximumAgeHours === undefined ? {} : { maximum_age_hours: body.maximumAgeHours }),
})
