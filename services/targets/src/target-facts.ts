/** What a decision about a target is made from, beside its own state. Loaded by `facts.ts`, made up freely in tests. */
import type { Version } from "@sluice/domain/entities"
import type { Binding } from "@sluice/rules/bind"
import type { Candidate, Facts, TargetSubject } from "@sluice/rules/facts"
import { quarantineKey, type ScopeQuarantine } from "@sluice/rules/facts"
import type { FailedTargets } from "@sluice/rules/rollback"

export type TargetFacts =
  /** No such release target at present. */
  | { readonly _tag: "Absent" }
  /** A row that should be there is not, or does not decode: a wait that names it. */
  | { readonly _tag: "Incomplete"; readonly missing: string }
  | Found

export interface Found {
  readonly _tag: "Found"
  readonly subject: TargetSubject
  readonly binding: Binding
  /** Absent when nothing in the batch asks for a look: results of jobs and verifications need no candidates. */
  readonly candidates?: { readonly newest: ReadonlyArray<Candidate>; readonly more: boolean }
  /** Answers the needs of the candidates; scope quarantines of the target's own versions too. */
  readonly rules: Facts
  /** Versions this target has to do with, by id; one that is missing here has no row. */
  readonly versions: ReadonlyMap<string, Version>
  /** Other targets on which a version failed for good, by version id. */
  readonly failures: ReadonlyMap<string, FailedTargets>
  /** Releases of this target that its state has forgotten, by version id. */
  readonly releases: ReadonlyMap<string, string>
}

export const noFailures: FailedTargets = { environment: 0, deployment: 0 }

export const scopeQuarantineOf = (facts: Found, versionId: string): ScopeQuarantine | undefined =>
  facts.rules.quarantines.get(
    quarantineKey({
      deploymentId: facts.subject.deployment.id,
      environmentId: facts.subject.environment.id,
      versionId: versionId as Version["id"],
    }),
  )
