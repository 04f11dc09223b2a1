/**
 * The recorded answer to "why": plain JSON, written when it changes and read as it stands. It holds no moment of
 * evaluation and nothing that merely counts down, so that an answer differs from the last one only if something happened.
 */
import { canonicalJson, type Json } from "@sluice/domain/json"
import type { RuleKind } from "@sluice/domain/policy"

/** What spoke: a policy rule, or one of the checks every version goes through. */
export type GateKind = RuleKind | "versionStatus" | "quarantine" | "versionDependency" | "policy" | "alreadyStarted"

export interface AnsweredVerdict {
  readonly rule: GateKind
  readonly ruleId?: string
  readonly policyId?: string
  readonly policyName?: string
  readonly verdict: "allow" | "wait" | "deny"
  readonly reason?: string
  readonly action?: "approval" | "wait"
  readonly waitsOn?: ReadonlyArray<string>
  /** Times are epoch milliseconds. */
  readonly until?: number
  readonly satisfiedAt?: number
  readonly details?: { readonly [key: string]: Json }
}

export interface AnsweredCandidate {
  readonly versionId: string
  readonly tag: string
  readonly createdAt: number
  readonly desired: boolean
  readonly verdicts: ReadonlyArray<AnsweredVerdict>
}

/** Why the newest version that is not desired is not. */
export interface Blocked {
  readonly versionId: string
  readonly tag: string
  readonly rule: GateKind
  readonly ruleId?: string
  readonly policyId?: string
  readonly reason: string
  readonly action?: "approval" | "wait"
  readonly waitsOn: ReadonlyArray<string>
  readonly until?: number
}

export interface Answer {
  readonly desired?: { readonly versionId: string; readonly tag: string }
  readonly blocked?: Blocked
  /** Newest first; at most `answerCandidatesMax`. */
  readonly candidates: ReadonlyArray<AnsweredCandidate>
  /** Said when not everything was looked at or written down. */
  readonly note?: string
  readonly waitsOn: ReadonlyArray<string>
  readonly nextEvaluationAt?: number
}

/** Does the new answer say anything that the old one did not? */
export const sameAnswer = (a: Answer | undefined, b: Answer | undefined): boolean =>
  a === undefined || b === undefined
    ? a === b
    : canonicalJson(a as unknown as Json) === canonicalJson(b as unknown as Json)
