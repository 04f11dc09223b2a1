/** The planner: one actor per workspace, keyed by the workspace id, whose state is rows. */
import type { SetActorKind } from "@sluice/actor/definition"
import { type PlannerMessage, step } from "./handle.ts"

export const plannerKind: SetActorKind<PlannerMessage> = { kind: "planner", step }
