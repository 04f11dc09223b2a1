/**
 * Ordering a job set: which release it is of, the how-manieth try, and whether the start has to take the rollout's guard.
 * The only place that makes a job set id; whoever calls it has made sure that no other job set may be acting (P1).
 */
import { isCapped } from "@sluice/rules/gradual-rollout"
import type { Script } from "./script.ts"
import { activeJobSet, type ReleaseRef, type Run, type VersionRef } from "./state.ts"
import type { Found } from "./target-facts.ts"

export const requestJob = (script: Script, facts: Found, version: VersionRef, reason: string): void => {
  const { release, isNew } = releaseOf(script, facts, version)
  const run = newRun(script, release)
  script.add({ _tag: "JobRequested", run, reason, newRelease: isNew, capped: isCapped(facts.binding) })
}

export const requestReturn = (
  script: Script,
  facts: Found,
  order: { readonly from: VersionRef; readonly to: ReleaseRef; readonly reason: string; readonly abandons?: string },
): void => {
  const { from, to, reason, abandons } = order
  script.add({
    _tag: "RollbackRequested",
    from,
    run: newRun(script, to),
    reason,
    capped: isCapped(facts.binding),
    ...(abandons === undefined ? {} : { abandons }),
  })
}

const newRun = ({ state, moment }: Script, release: ReleaseRef): Run => {
  const active = activeJobSet(state)
  if (active !== undefined) throw new Error(`job set ${active} may still be acting`)
  const { releaseId, versionId, tag } = release
  const before = state.releases.find(known => known.releaseId === releaseId)?.tries ?? 0
  return { releaseId, versionId, tag, jobSetId: moment.id(), try: before + 1, startedAt: moment.now }
}

/** The same version with the same variables is the same release. This version of Sluice resolves no variables. */
const releaseOf = ({ state, moment }: Script, facts: Found, version: VersionRef) => {
  const { versionId, tag } = version
  const known =
    state.releases.find(release => release.versionId === versionId)?.releaseId ?? facts.releases.get(versionId)
  return { release: { versionId, tag, releaseId: known ?? moment.id() }, isNew: known === undefined }
}
