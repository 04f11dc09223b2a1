/** The dispatcher service as a process of its own. */
import { serveUntilStopped } from "@sluice/process/serve-one"
import { dispatcherService } from "./service.ts"

serveUntilStopped([dispatcherService])
