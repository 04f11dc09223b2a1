/** The gateway as a process of its own. */
import { serveUntilStopped } from "@sluice/process/serve-one"
import { gatewayService } from "./service.ts"

serveUntilStopped([gatewayService(url => process.stdout.write(`listening on ${url}\n`))])
