/** The verification actor kind: one actor per verification, keyed by its id. It needs no facts beside its messages. */
import type { ActorKind } from "@sluice/actor/definition"
import { measurementProjection, verificationProjection } from "@sluice/store/verification-projections"
import { Effect } from "effect"
import { decide, type VerificationMessage } from "./decide.ts"
import type { VerificationEvent } from "./events.ts"
import { evolve } from "./evolve.ts"
import { react } from "./react.ts"
import { readState, stateSchemaVersion, type VerificationState } from "./state.ts"

export const verificationKind: ActorKind<VerificationState, VerificationMessage, undefined, VerificationEvent> = {
  kind: "verification",
  stateSchemaVersion,
  readState,
  creates: message => message.type === "StartVerification",
  facts: () => Effect.succeed(new Map<string, undefined>()),
  decide,
  evolve,
  react,
  projections: { verification: verificationProjection, measurement: measurementProjection },
}
