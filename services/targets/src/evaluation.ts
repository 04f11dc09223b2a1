/** How the rules are asked about this target: its history in their words, and the facts that were loaded for it. */
import type { ReleaseTargetKey, VersionId } from "@sluice/domain/ids"
import type { Verdict } from "@sluice/domain/verdict"
import { type Evaluation, evaluate } from "@sluice/rules/evaluate"
import { rolloutKey, type TargetHistory } from "@sluice/rules/facts"
import { capVerdict } from "@sluice/rules/gradual-rollout"
import { expressions } from "./expressions.ts"
import type { Script } from "./script.ts"
import type { TargetState } from "./state.ts"
import type { Found } from "./target-facts.ts"

/** What the rules say about the candidates; undefined when none were loaded. */
export const evaluateFor = ({ state, moment }: Script, facts: Found): Evaluation | undefined => {
  if (facts.candidates === undefined) return undefined
  const { newest, more } = facts.candidates
  return evaluate({
    subject: facts.subject,
    binding: facts.binding,
    candidates: newest.slice(0, state.window),
    moreCandidates: more || newest.length > state.window,
    history: historyOf(state, facts),
    facts: facts.rules,
    expressions,
    now: moment.now,
  })
}

/** May a start that the rules need not judge anew (another try, a redeploy) go ahead under the rollout's cap? */
export const capFor = ({ subject, binding, rules }: Found, versionId: string): Verdict => {
  const key = rolloutKey({ versionId: versionId as VersionId, targetKey: subject.key as ReleaseTargetKey })
  return capVerdict(binding, subject, rules.rollouts.get(key))
}

const historyOf = (state: TargetState, facts: Found): TargetHistory => ({
  ...(state.current === undefined ? {} : { currentVersionId: state.current.versionId as VersionId }),
  ...(state.lastTried === undefined ? {} : { lastStartedVersionId: state.lastTried.versionId as VersionId }),
  releasedVersionIds: [
    ...state.releases.map(release => release.versionId),
    ...facts.releases.keys(),
  ] as Array<VersionId>,
  quarantined: state.setbacks.flatMap(({ versionId, reason, at, quarantined }) =>
    quarantined ? [{ versionId: versionId as VersionId, reason, at }] : [],
  ),
})
