/** The target actor kind: one actor per release target, keyed by the release target key. */
import type { ActorKind } from "@sluice/actor/definition"
import { scopeOf } from "@sluice/rules/gate"
import { rolloutGuard } from "@sluice/rules/gradual-rollout"
import { decide } from "./decide.ts"
import type { TargetEvent } from "./events.ts"
import { evolve } from "./evolve.ts"
import { loadFacts } from "./facts.ts"
import { failureGuard } from "./guards.ts"
import { projections } from "./projections.ts"
import { react } from "./react.ts"
import { readState, stateSchemaVersion, type TargetState } from "./state.ts"
import type { TargetFacts } from "./target-facts.ts"
import type { TargetMessage } from "./transitions.ts"

export const targetKind: ActorKind<TargetState, TargetMessage, TargetFacts, TargetEvent> = {
  kind: "target",
  stateSchemaVersion,
  readState,
  creates: message => message.type === "Reconcile",
  facts: loadFacts,
  decide,
  evolve,
  react,
  guardedBy: facts =>
    facts?._tag === "Found" ? [rolloutGuard(scopeOf(facts.subject)), failureGuard(facts.subject.deployment.id)] : [],
  coalesces: message => message.type === "Reconcile",
  projections,
}
