/** What the policy service runs: the wakes that recorded facts ask for. */
import { runActivities } from "@sluice/activity/runtime"
import type { Service } from "@sluice/process/service"
import { wakeWaiting } from "./handle.ts"

export const policyService: Service = {
  name: "policy",
  actors: [],
  doors: false,
  run: () => runActivities([wakeWaiting]),
}
