/** What the targets service runs: the release target actors. */
import type { Service } from "@sluice/process/service"
import { Effect } from "effect"
import { targetKind } from "./definition.ts"

export const targetsService: Service = {
  name: "targets",
  actors: [{ _tag: "Document", definition: targetKind }],
  doors: false,
  run: () => Effect.void,
}
