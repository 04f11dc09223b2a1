/** What the dispatcher runs: the job actors, one per job set. Agents are called by `agent-bridges`. */
import type { Service } from "@sluice/process/service"
import { Effect } from "effect"
import { jobActor } from "./definition.ts"

export const dispatcherService: Service = {
  name: "dispatcher",
  actors: [{ _tag: "Document", definition: jobActor }],
  doors: false,
  run: () => Effect.void,
}
