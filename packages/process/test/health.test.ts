import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type Check, serveHealth } from "../src/health.ts"

const get = (port: number, path: string) =>
  Effect.promise(async () => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`)
    return { status: response.status, body: await response.json() }
  })

const served = (checks: Record<string, Check>) => serveHealth({ host: "127.0.0.1", port: 0, checks: () => checks })

describe("the operations port", () => {
  it.live("says ready when every check passes", () =>
    Effect.gen(function* () {
      const { port } = yield* served({ database: Effect.void, broker: Effect.void })
      assert.deepStrictEqual(yield* get(port, "/readyz"), {
        status: 200,
        body: { status: "ready", checks: { database: "ok", broker: "ok" } },
      })
    }),
  )

  it.live("is alive but not ready while a check fails, breaks or does not answer, and says which", () =>
    Effect.gen(function* () {
      const { port } = yield* served({
        database: Effect.fail({ message: "connection refused" }),
        broker: Effect.die("broken"),
        slow: Effect.never,
        fine: Effect.void,
      })
      assert.deepStrictEqual(yield* get(port, "/healthz"), { status: 200, body: { status: "ok" } })
      assert.deepStrictEqual(yield* get(port, "/readyz"), {
        status: 503,
        body: {
          status: "not ready",
          checks: {
            database: "connection refused",
            broker: "failed: broken",
            slow: "no answer within 2000 ms",
            fine: "ok",
          },
        },
      })
    }),
  )

  it.live("asks anew at every request", () =>
    Effect.gen(function* () {
      const checks: Record<string, Check> = { migrations: Effect.fail({ message: "running" }) }
      const { port } = yield* served(checks)
      assert.strictEqual((yield* get(port, "/readyz")).status, 503)
      checks.migrations = Effect.void
      assert.strictEqual((yield* get(port, "/readyz")).status, 200)
    }),
  )

  it.live("serves nothing else", () =>
    Effect.gen(function* () {
      const { port } = yield* served({})
      assert.strictEqual((yield* get(port, "/metrics")).status, 404)
    }),
  )

  it.live("that is taken is a typed error", () =>
    Effect.gen(function* () {
      const { port } = yield* served({})
      const error = yield* Effect.flip(serveHealth({ host: "127.0.0.1", port, checks: () => ({}) }))
      assert.include(error.message, "EADDRINUSE")
    }),
  )

  it.live("is closed with its scope", () =>
    Effect.gen(function* () {
      const { port } = yield* Effect.scoped(served({}))
      yield* served({}).pipe(Effect.andThen(serveHealth({ host: "127.0.0.1", port, checks: () => ({}) })))
    }),
  )
})
