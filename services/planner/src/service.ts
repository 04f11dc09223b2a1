/** What the planner runs: one actor per workspace, its state the rows of `release_target` and the match sets. */
import type { Service } from "@sluice/process/service"
import { Effect } from "effect"
import { plannerKind } from "./actor.ts"

export const plannerService: Service = {
  name: "planner",
  actors: [{ _tag: "Set", definition: plannerKind }],
  doors: false,
  run: () => Effect.void,
}
