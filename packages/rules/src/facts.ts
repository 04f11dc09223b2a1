/**
 * What a decision is made from, and what a loader has to fetch for it. A need names one fact by key; needs of a whole
 * batch of targets are merged and answered by one set-based query per kind. Nothing here reads anything: `needs.ts`
 * derives needs from the policies that bind a target, a service's `facts.ts` answers them.
 */
import type { Deployment, Environment, Resource, Version } from "@sluice/domain/entities"
import type { DeploymentId, EnvironmentId, ReleaseTargetKey, VersionId, WorkspaceId } from "@sluice/domain/ids"
import type { JobStatus } from "@sluice/domain/job-status"
import type { Approval } from "@sluice/domain/policy"

/** The release target that is decided about. */
export interface TargetSubject {
  readonly key: ReleaseTargetKey
  readonly workspaceId: WorkspaceId
  readonly deployment: Deployment
  readonly environment: Environment
  readonly resource: Resource
  /** Other environments of the workspace that share at least one system with this target's environment. */
  readonly siblings: ReadonlyArray<Environment>
}

/** A version in the running. Candidates come ordered by (createdAt, id), newest first. */
export interface Candidate {
  readonly version: Version
  /** Epoch milliseconds: `version.createdAt`. */
  readonly createdAt: number
  /** Deployments named in the version's `dependencies`. */
  readonly dependsOn: ReadonlyArray<string>
  readonly createdBy?: string
}

/** What this target has been through; known to its actor without asking anybody. */
export interface TargetHistory {
  /** The version of the newest successful try. */
  readonly currentVersionId?: VersionId
  /** The version of the newest try, whatever came of it, rollbacks included. */
  readonly lastStartedVersionId?: VersionId
  /** Versions with a release on this target (as far as candidates are concerned): a paused one goes only there. */
  readonly releasedVersionIds: ReadonlyArray<VersionId>
  /** This target's own quarantine, not yet released. */
  readonly quarantined: ReadonlyArray<{ readonly versionId: VersionId; readonly reason: string; readonly at: number }>
}

export interface ApprovalNeed {
  readonly key: string
  readonly versionId: VersionId
  readonly environmentId: EnvironmentId
}

export interface ProgressionNeed {
  readonly key: string
  readonly deploymentId: DeploymentId
  readonly versionId: VersionId
  /** The environment depended on. */
  readonly environmentId: EnvironmentId
  /** Sorted. Empty: no status counts. */
  readonly successStatuses: ReadonlyArray<JobStatus>
  readonly requireVerification: boolean
  /** 0 when the rule sets none: then one success is enough. */
  readonly minimumPercentage: number
}

export interface RolloutNeed {
  readonly key: string
  readonly deploymentId: DeploymentId
  readonly environmentId: EnvironmentId
  readonly versionId: VersionId
  readonly targetKey: ReleaseTargetKey
  /** Wanted: `RolloutFacts.clock`. */
  readonly clock: boolean
  /** Wanted: `RolloutFacts.verified`. */
  readonly verified: boolean
  /** How many unsettled targets ahead to name, nearest first; more need not be read. */
  readonly unsettledMax: number
}

export interface QuarantineNeed {
  readonly key: string
  readonly deploymentId: DeploymentId
  readonly environmentId: EnvironmentId
  readonly versionId: VersionId
}

/** Deduplicated by `key`; equal keys are equal needs, across targets too. */
export interface FactNeeds {
  readonly approvals: ReadonlyArray<ApprovalNeed>
  readonly progressions: ReadonlyArray<ProgressionNeed>
  readonly rollouts: ReadonlyArray<RolloutNeed>
  readonly quarantines: ReadonlyArray<QuarantineNeed>
}

/**
 * How far a version has come in an environment. All times epoch milliseconds. A target has succeeded at the earliest end
 * of a try of this version with one of the wanted statuses; when verification is required, only if verified (or nothing
 * was to verify), at max(end, verification passed). Only targets that exist now count, above and below the line.
 */
export interface ProgressionStatistics {
  readonly targets: number
  readonly succeeded: number
  /** Smallest, k-th smallest (`requiredSuccesses`) and largest of the targets' success times. */
  readonly earliestSuccessAt?: number
  /** Absent while fewer than k have succeeded. */
  readonly kthSuccessAt?: number
  readonly latestOfEarliestSuccessAt?: number
  /** The newest success of all, later ones of a target that had succeeded before included. */
  readonly mostRecentSuccessAt?: number
}

/**
 * How many of `targets` must succeed for `minimumPercentage`: k = ceil(n × (min − 0.0001) / 100), at least 1. The
 * tolerance of 0.0001 points lets 66.6667 stand for two of three. In SQL: the same on float8 gives the same.
 */
export const requiredSuccesses = (targets: number, minimumPercentage: number): number =>
  Math.max(1, Math.ceil((targets * (minimumPercentage - 0.0001)) / 100))

export interface Neighbour {
  readonly key: ReleaseTargetKey
  /** What people call it: the resource's name. */
  readonly name: string
  readonly position: number
  /** What it is doing, in two or three words: "deploying", "waiting", … */
  readonly what: string
}

export interface RolloutFacts {
  /**
   * Targets of the pair on which this version failed for good: last try unsuccessful with no retry left, or
   * verification failed. A rollback afterwards does not take it back; a person who releases the quarantine does.
   */
  readonly failed: number
  /** Place by hash (`rolloutOrder`) among the targets the pair has now. Absent: the target is not among them. */
  readonly clock?: { readonly position: number; readonly total: number }
  readonly verified?: VerifiedRolloutFacts
}

export interface VerifiedRolloutFacts {
  /** 0-based, in the stored order once the version's rollout has started here, by hash until then. */
  readonly position: number
  readonly total: number
  /** When the first target of the pair started this version. */
  readonly startedAt?: number
  /**
   * Nearest first, at most the need's `unsettledMax`. Settled is: successful and verified on it, already on it, pinned or
   * held elsewhere, or failed for good (that one is in `failed`, and the budget decides about it). All else, waiting
   * included, is unsettled.
   */
  readonly unsettledAhead: ReadonlyArray<Neighbour>
  /** All unsettled ahead, or as many as were cheap to count (never fewer than are named). */
  readonly unsettledAheadCount: number
  /** Other targets of the pair with an active job, verification or rollback, whatever its version. */
  readonly activeOthers: number
  /** The newest start of this version in the pair. */
  readonly lastStartAt?: number
  /** A newer version that has started here, is neither rejected nor quarantined in this scope, and so stops this one. */
  readonly newerStarted?: { readonly versionId: VersionId; readonly tag: string }
}

/** A quarantine that reaches further than one target. */
export interface ScopeQuarantine {
  readonly scope: "environment" | "deployment"
  readonly reason: string
  readonly at: number
}

/** Answers by need key. A wanted fact that is absent holds the target, naming the fact; quarantine alone: absent is none. */
export interface Facts {
  readonly approvals: ReadonlyMap<string, ReadonlyArray<Approval>>
  readonly progressions: ReadonlyMap<string, ProgressionStatistics>
  readonly rollouts: ReadonlyMap<string, RolloutFacts>
  readonly quarantines: ReadonlyMap<string, ScopeQuarantine>
}

export const approvalKey = (need: Omit<ApprovalNeed, "key">): string => `${need.versionId}:${need.environmentId}`

export const progressionKey = (need: Omit<ProgressionNeed, "key">): string =>
  [
    need.versionId,
    need.environmentId,
    need.deploymentId,
    need.successStatuses.join("+"),
    need.requireVerification ? "verified" : "ended",
    need.minimumPercentage,
  ].join(":")

export const rolloutKey = (need: Pick<RolloutNeed, "versionId" | "targetKey">): string =>
  `${need.versionId}:${need.targetKey}`

export const quarantineKey = (need: Omit<QuarantineNeed, "key">): string =>
  `${need.versionId}:${need.environmentId}:${need.deploymentId}`

/** The needs of a batch: each fact once. */
export const mergeNeeds = (all: ReadonlyArray<FactNeeds>): FactNeeds => ({
  approvals: once(all.flatMap(needs => needs.approvals)),
  progressions: once(all.flatMap(needs => needs.progressions)),
  rollouts: once(all.flatMap(needs => needs.rollouts)),
  quarantines: once(all.flatMap(needs => needs.quarantines)),
})

const once = <Need extends { readonly key: string }>(needs: ReadonlyArray<Need>): ReadonlyArray<Need> => [
  ...new Map(needs.map(need => [need.key, need])).values(),
]
