/** What happened to a release target, as the journal keeps it: past tense, everything `evolve` and `react` need inside. */
import type { JsonObject } from "@sluice/domain/json"
import type { MetricSpec } from "@sluice/domain/verification"
import type { Answer } from "@sluice/rules/answer"
import type { RollbackScope } from "@sluice/rules/rollback"
import type { EndedRun, Outcome, ReleaseRef, Run, Verifying, VerifyingReturn, VersionRef, WirePhase } from "./state.ts"

export type TargetEvent =
  /** It exists (again). */
  | { readonly _tag: "Joined" }
  /** It does not exist any more: what runs is asked to stop, and its end is still waited for. */
  | { readonly _tag: "Left"; readonly cancels?: string; readonly abandons?: string }
  /** It left between a success and its verification: verified when it comes back. */
  | { readonly _tag: "VerificationSuspended"; readonly phase: Verifying | VerifyingReturn }
  /** The rules were asked, and nothing starts. */
  | {
      readonly _tag: "Looked"
      readonly waiting: boolean
      readonly desired?: VersionRef
      readonly evaluateAt?: number
      readonly window: number
    }
  /** A look is due at once, in a batch of its own with fresh facts. */
  | { readonly _tag: "LookDue" }
  /** `tell`: what holds the target is new. */
  | { readonly _tag: "Answered"; readonly phase: WirePhase; readonly answer: Answer; readonly tell: boolean }
  | { readonly _tag: "WaitsChanged"; readonly subjects: ReadonlyArray<string> }
  | {
      readonly _tag: "JobRequested"
      readonly run: Run
      readonly reason: string
      readonly newRelease: boolean
      /** A `verified` rollout binds the target: the start takes the rollout's guard and has a place in its order. */
      readonly capped: boolean
    }
  | { readonly _tag: "JobWasLost"; readonly jobId: string; readonly lastSeenAt: number; readonly message: string }
  | { readonly _tag: "JobWasFound"; readonly jobId: string; readonly status: string }
  | { readonly _tag: "PatienceRanOut" }
  | {
      readonly _tag: "TryEnded"
      readonly run: EndedRun
      readonly outcome: Outcome
      readonly at: number
      /** False: we ended it, so it says nothing about the release. */
      readonly counts: boolean
      readonly message?: string
    }
  | {
      readonly _tag: "VerificationStarted"
      readonly run: EndedRun
      /** Set when the release was returned to. */
      readonly from?: VersionRef
      readonly verificationId: string
      readonly metrics: ReadonlyArray<MetricSpec>
      readonly context: JsonObject
    }
  | {
      readonly _tag: "VerificationPostponed"
      readonly run: EndedRun
      readonly from?: VersionRef
      readonly reason: string
    }
  | {
      readonly _tag: "Confirmed"
      readonly release: ReleaseRef
      readonly verified: boolean
      readonly hadFailed: boolean
    }
  | {
      readonly _tag: "VersionFailed"
      readonly version: VersionRef
      readonly reason: string
      readonly by: "verification" | "job"
      /** This failure was one too many for the version's rollout. */
      readonly halted?: { readonly failed: number; readonly allowed: number }
    }
  | { readonly _tag: "Recalled"; readonly reason: string; readonly cancels: string }
  | {
      readonly _tag: "Quarantined"
      readonly version: VersionRef
      readonly reason: string
      readonly scope: RollbackScope
    }
  | {
      readonly _tag: "RollbackRequested"
      readonly from: VersionRef
      readonly run: Run
      readonly reason: string
      readonly capped: boolean
      readonly abandons?: string
    }
  | { readonly _tag: "RolledBack"; readonly from: VersionRef; readonly to: ReleaseRef; readonly verified: boolean }
  | {
      readonly _tag: "HeldForPerson"
      readonly about: VersionRef
      readonly reason: string
      readonly abandons?: string
      /** The verification of `about` failed. */
      readonly unverified?: true
    }
  | {
      readonly _tag: "QuarantineReleased"
      readonly versions: ReadonlyArray<VersionRef>
      readonly scopes: ReadonlyArray<{ readonly versionId: string; readonly scope: "environment" | "deployment" }>
      readonly userId: string
      readonly reason: string
    }
  | { readonly _tag: "HoldReleased"; readonly userId: string; readonly reason: string }

export type EventOf<T extends TargetEvent["_tag"]> = Extract<TargetEvent, { readonly _tag: T }>
