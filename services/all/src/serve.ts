/** All services in one process, beside servers that exist already (NATS_URL, DATABASE_URL): what a container runs. */
import { serveUntilStopped } from "@sluice/process/serve-one"
import { services } from "./services.ts"

serveUntilStopped(services(url => process.stdout.write(`listening on ${url}\n`)))
