/** The agent-bridges service as a process of its own. */
import { serveUntilStopped } from "@sluice/process/serve-one"
import { agentBridgesService } from "./service.ts"

serveUntilStopped([agentBridgesService])
