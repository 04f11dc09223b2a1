// The operations port of a process: /healthz says that it lives, /readyz that it can do its work, which is what the
// named checks say when asked. It listens from the first moment of a start, so that a supervisor sees "not ready" and
// not "connection refused" while databases recover; it serves nothing else.
import { createServer, type ServerResponse } from "node:http"
import { Effect, Schema } from "effect"

export class HealthError extends Schema.TaggedError<HealthError>()("HealthError", {
  message: Schema.String,
  cause: Schema.Defect(),
}) {}

/** Succeeds when the thing works now; the message of its failure is shown to whoever asks. */
export type Check = Effect.Effect<void, { readonly message: string }>

export interface HealthOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Asked anew at every request, so that checks can be added while the process starts. */
  readonly checks: () => Readonly<Record<string, Check>>
}

export interface HealthServer {
  readonly port: number
}

const checkMillisecondsMax = 2_000 // less than the patience of common supervisors

/** Serves until the scope closes. */
export const serveHealth = Effect.fn("serveHealth")(function* (options: HealthOptions) {
  const services = yield* Effect.context<never>()
  const runChecks = Effect.suspend(() =>
    Effect.forEach(
      Object.entries(options.checks()),
      ([name, check]) => resultOf(check).pipe(Effect.map(result => [name, result] as const)),
      { concurrency: "unbounded" },
    ),
  ).pipe(Effect.map(results => Object.fromEntries(results)))

  const server = createServer((request, response) => {
    const path = request.url?.split("?")[0]
    if (request.method !== "GET" && request.method !== "HEAD") return answer(response, 405, { error: "only GET" })
    if (path === "/healthz") return answer(response, 200, { status: "ok" })
    if (path !== "/readyz") return answer(response, 404, { error: "only /healthz and /readyz are here" })
    Effect.runCallbackWith(services)(runChecks, {
      onExit: exit => {
        const checks = exit._tag === "Success" ? exit.value : { checks: "could not be run" }
        const ready = Object.values(checks).every(result => result === "ok")
        answer(response, ready ? 200 : 503, { status: ready ? "ready" : "not ready", checks })
      },
    })
  })

  const listening = Effect.callback<HealthServer, HealthError>(resume => {
    server.once("error", cause => resume(Effect.fail(new HealthError({ message: cause.message, cause }))))
    server.listen(options.port, options.host, () => {
      const address = server.address()
      resume(Effect.succeed({ port: typeof address === "object" && address !== null ? address.port : options.port }))
    })
  })
  return yield* Effect.acquireRelease(listening, () =>
    Effect.callback<void>(resume => {
      server.close(() => resume(Effect.void))
      server.closeAllConnections()
    }),
  )
})

const resultOf = (check: Check): Effect.Effect<string> =>
  check.pipe(
    Effect.as("ok"),
    Effect.catch(error => Effect.succeed(error.message)),
    Effect.catchDefect(defect => Effect.succeed(`failed: ${String(defect)}`)),
    Effect.timeoutOrElse({
      duration: checkMillisecondsMax,
      orElse: () => Effect.succeed(`no answer within ${checkMillisecondsMax} ms`),
    }),
  )

const answer = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" })
  response.end(`${JSON.stringify(body)}\n`)
}
