/** The policy service as a process of its own. */
import { serveUntilStopped } from "@sluice/process/serve-one"
import { policyService } from "./service.ts"

serveUntilStopped([policyService])
