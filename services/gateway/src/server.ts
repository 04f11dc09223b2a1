/** The listening socket. It opens last, when everything that must answer its requests stands. */
import { createServer } from "node:http"
import { layer as nodeServer } from "@effect/platform-node/NodeHttpServer"
import { Context, Effect, Layer } from "effect"
import { HttpServer } from "effect/http"
import { makeApp } from "./app.ts"
import { routes } from "./routes.ts"

/** What `GET /api/version` says; a test compares it with the package. */
export const gatewayVersion = "0.1.0"

export interface Address {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
}

/** Requests under way at a stop get this long; event streams would never end by themselves. */
const gracefulShutdownTimeout = "1 second"

/**
 * Go's client keeps an idle connection for 90 s. A server that closes it earlier makes a request that is just being sent on
 * it fail, and a POST is not sent again.
 */
const keepAliveTimeout = 100_000
/** A filter of the longest expression there is, percent-encoded twice as the command line does it, fits the request line. */
const maxHeaderSize = 96 * 1024

/** Serves until the scope closes; answers the port it really listens on. */
export const listen = Effect.fnUntraced(function* (address: Address) {
  const server = HttpServer.serve(makeApp(routes, gatewayVersion))
  const context = yield* Layer.build(
    server.pipe(
      Layer.provideMerge(
        nodeServer(() => createServer({ keepAliveTimeout, maxHeaderSize }), { ...address, gracefulShutdownTimeout }),
      ),
    ),
  )
  const bound = Context.get(context, HttpServer.HttpServer).address
  return { port: "port" in bound ? bound.port : address.port }
})
