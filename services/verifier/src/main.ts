/** The verifier service as a process of its own. */
import { serveUntilStopped } from "@sluice/process/serve-one"
import { verifierService } from "./service.ts"

serveUntilStopped([verifierService])
