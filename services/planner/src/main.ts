/** The planner service as a process of its own. */
import { serveUntilStopped } from "@sluice/process/serve-one"
import { plannerService } from "./service.ts"

serveUntilStopped([plannerService])
