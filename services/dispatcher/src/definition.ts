/** The `job` actor kind: one actor per job set. What it is made of, in one value; the runtime does the rest. */
import type { ActorKind } from "@sluice/actor/definition"
import { decide, type JobMessage } from "./decide.ts"
import type { JobSetEvent } from "./events.ts"
import { evolve } from "./evolve.ts"
import { facts } from "./facts.ts"
import { projections } from "./projections.ts"
import { react } from "./react.ts"
import type { StartFacts } from "./start.ts"
import { type JobSet, readState, stateSchemaVersion } from "./state.ts"

export const jobActor: ActorKind<JobSet, JobMessage, StartFacts, JobSetEvent> = {
  kind: "job",
  stateSchemaVersion,
  readState,
  creates: message => message.type === "StartJobs",
  facts,
  decide,
  evolve,
  react,
  projections,
}
