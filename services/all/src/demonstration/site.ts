/**
 * The sites that stand for what is deployed: one HTTP server on loopback per release target. `GET /` answers
 * `{version, errorRate}`, `GET /served` what it served since when. Port, version and record of each lie in a file, so that
 * a restart brings the same site back. Deploying is idempotent by job.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { createServer, type Server } from "node:http"
import { join } from "node:path"
import { Clock, Effect, type Scope } from "effect"

export interface SiteContent {
  readonly version: string
  readonly errorRate: number
}

export interface Served {
  readonly version: string
  /** Epoch milliseconds. */
  readonly from: number
}

export interface Site {
  readonly url: string
  /** The job was carried out here already: doing it again must not bring back what it deployed. */
  readonly isDone: (jobId: string) => boolean
  readonly deploy: (jobId: string, content: SiteContent) => Effect.Effect<void>
}

interface Kept {
  readonly port: number
  readonly content?: SiteContent
  readonly served: ReadonlyArray<Served>
  readonly jobs: ReadonlyArray<string>
}

const jobsMax = 100 // far more than one demonstration deploys to a site

/** Opens the site of this name, on the port it had before if that is free. Closed with the scope. */
export const openSite = (directory: string, name: string): Effect.Effect<Site, never, Scope.Scope> =>
  Effect.gen(function* () {
    mkdirSync(directory, { recursive: true })
    const file = join(directory, `${name}.json`)
    let kept = readKept(file)
    const keep = (next: Kept) => {
      kept = next
      // As a whole or not at all: a killed process leaves the old file or the new one.
      writeFileSync(`${file}.new`, JSON.stringify(next))
      renameSync(`${file}.new`, file)
    }
    const server = createServer((request, response) => {
      const { content } = kept
      const served = request.url === "/served"
      response.writeHead(served || content !== undefined ? 200 : 503, { "content-type": "application/json" })
      response.end(JSON.stringify(served ? kept.served : (content ?? { version: null, errorRate: 0 })))
    })
    const port = yield* Effect.acquireRelease(listen(server, kept.port), () => close(server))
    keep({ ...kept, port })
    return {
      url: `http://127.0.0.1:${port}`,
      isDone: jobId => kept.jobs.includes(jobId),
      deploy: (jobId, content) =>
        Effect.map(Clock.currentTimeMillis, now => {
          const last = kept.served.at(-1)
          const served =
            last?.version === content.version ? kept.served : [...kept.served, { version: content.version, from: now }]
          keep({ ...kept, content, served, jobs: [...kept.jobs, jobId].slice(-jobsMax) })
        }),
    }
  })

const readKept = (file: string): Kept =>
  existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Kept) : { port: 0, served: [], jobs: [] }

const listen = (server: Server, wanted: number): Effect.Effect<number> =>
  Effect.callback(resume => {
    server.on("error", (error: NodeJS.ErrnoException) => {
      // Somebody took the port while we were away: another one will do, the resource is told.
      if (error.code === "EADDRINUSE") server.listen(0, "127.0.0.1")
      else resume(Effect.die(error))
    })
    server.on("listening", () => {
      const address = server.address()
      resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
    })
    server.listen(wanted, "127.0.0.1")
  })

const close = (server: Server): Effect.Effect<void> =>
  Effect.callback(resume => {
    server.close(() => resume(Effect.void))
    server.closeAllConnections()
  })
