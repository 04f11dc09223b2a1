/** What the verifier runs: the verification actors, and the probes they ask for. */
import { runActivities } from "@sluice/activity/runtime"
import type { Service } from "@sluice/process/service"
import { verificationKind } from "./actor.ts"
import { probeMetric } from "./handle.ts"

export const verifierService: Service = {
  name: "verifier",
  actors: [{ _tag: "Document", definition: verificationKind }],
  doors: false,
  run: () => runActivities([probeMetric]),
}
