/** The targets service as a process of its own. */
import { serveUntilStopped } from "@sluice/process/serve-one"
import { targetsService } from "./service.ts"

serveUntilStopped([targetsService])
