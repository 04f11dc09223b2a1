import { expect, it } from "@effect/vitest"
import { Storage, type Tx } from "@sluice/actor/ports"
import { migratedDatabase } from "@sluice/testkit/database"
import { openProxy } from "@sluice/testkit/proxy"
import { postgresServer } from "@sluice/testkit/servers"
import { sharedPostgres } from "@sluice/testkit/shared"
import { Context, Effect, Fiber, Layer, Redacted, Schedule } from "effect"
import { describe } from "vitest"
import { type ConnectionOptions, type SessionLimits, sessionLimits } from "../src/connection.ts"
import { Database } from "../src/database.ts"
import { storageLayer } from "../src/storage.ts"

const storageOn = (options: ConnectionOptions, limits: Partial<SessionLimits> = {}) =>
  Layer.build(
    Layer.provide(storageLayer, Database.layer({ ...options, poolSize: 4, limits: { ...sessionLimits, ...limits } })),
  ).pipe(Effect.map(context => Context.get(context, Storage)))

/** The same database once directly and once through a proxy. */
const setUp = Effect.fnUntraced(function* (limits: Partial<SessionLimits> = {}) {
  const options = yield* migratedDatabase(yield* sharedPostgres)
  const url = new URL(Redacted.value(options.url))
  const proxy = yield* openProxy({ toPort: Number(url.port) })
  url.port = String(proxy.port)
  const direct = yield* storageOn(options)
  yield* direct.query("INSERT INTO guard (name) VALUES ('row')")
  return { direct, proxy, proxied: yield* storageOn({ ...options, url: Redacted.make(url.href) }, limits) }
})

const bump = (tx: Pick<Tx, "query">) => tx.query("UPDATE guard SET version = version + 1")
const versionIn = (storage: Pick<Tx, "query">) =>
  Effect.map(storage.query<{ version: number }>("SELECT version FROM guard"), rows => rows[0]?.version)

describe("a store whose connection", () => {
  it.live("was killed by the server inside a transaction reports it unavailable and goes on with another", () =>
    Effect.gen(function* () {
      const { direct, proxied } = yield* setUp()
      const error = yield* Effect.flip(
        proxied.transaction("repeatable read", tx =>
          Effect.gen(function* () {
            yield* bump(tx)
            const [own] = yield* tx.query<{ pid: number }>("SELECT pg_backend_pid() AS pid")
            yield* direct.query("SELECT pg_terminate_backend($1, 5000)", [own?.pid])
            yield* bump(tx)
          }),
        ),
      )
      expect(error).toMatchObject({ fault: "unavailable" })
      yield* proxied.transaction("repeatable read", bump)
      expect(yield* versionIn(direct)).toBe(1)
    }),
  )

  it.live("was cut while idle goes on with another", () =>
    Effect.gen(function* () {
      const { proxied, proxy } = yield* setUp()
      yield* Effect.all([bump(proxied), bump(proxied)], { concurrency: 2 })
      yield* proxy.cut
      // The pool may learn of the cut only with the next statement; that one is told, the one after it succeeds.
      yield* Effect.retry(bump(proxied), { times: 4 })
      expect(yield* versionIn(proxied)).toBe(3)
    }),
  )

  it.live("was cut before the server answered COMMIT is unavailable, although the work was kept", () =>
    Effect.gen(function* () {
      const { direct, proxied, proxy } = yield* setUp()
      const dropped = yield* proxy.dropNextResponseAfter(bytes => bytes.includes("COMMIT"))
      const error = yield* Effect.flip(proxied.transaction("repeatable read", bump))
      yield* dropped
      expect(error).toMatchObject({ fault: "unavailable" })
      expect(yield* versionIn(direct)).toBe(1)
      yield* proxied.transaction("repeatable read", bump)
      expect(yield* versionIn(direct)).toBe(2)
    }),
  )

  it.live("went silent is unavailable after the answer limit, and later transactions get another", () =>
    Effect.gen(function* () {
      const { direct, proxied, proxy } = yield* setUp({ answer: 300 })
      const error = yield* Effect.flip(
        proxied.transaction("repeatable read", tx => Effect.andThen(proxy.freeze, bump(tx))),
      )
      expect(error).toMatchObject({ fault: "unavailable", message: "Query read timeout" })
      yield* proxy.thaw
      yield* proxied.transaction("repeatable read", bump)
      expect(yield* versionIn(direct)).toBe(1)
    }),
  )

  it.live("stays idle inside a transaction loses it, and with it the lock it held", () =>
    Effect.gen(function* () {
      const { direct, proxied } = yield* setUp({ idleInTransaction: 200 })
      const error = yield* Effect.flip(
        proxied.transaction("repeatable read", tx =>
          Effect.gen(function* () {
            yield* bump(tx)
            yield* bump(direct) // waits for the lock until the server has ended this session
            yield* bump(tx)
          }),
        ),
      )
      expect(error).toMatchObject({ fault: "unavailable" })
      expect(yield* versionIn(direct)).toBe(1)
    }),
  )

  it.live("waits for a lock gives up after the lock limit and stays usable", () =>
    Effect.gen(function* () {
      const { direct, proxied } = yield* setUp({ lock: 200 })
      const error = yield* direct.transaction("read committed", tx =>
        Effect.andThen(bump(tx), Effect.flip(proxied.transaction("read committed", bump))),
      )
      expect(error).toMatchObject({ fault: "unavailable", code: "55P03" })
      yield* proxied.transaction("read committed", bump)
      expect(yield* versionIn(direct)).toBe(2)
    }),
  )
})

describe("a store whose tables are changed while it runs", () => {
  it.live("fails a statement that it had prepared before, once, and then reads the new columns", () =>
    Effect.gen(function* () {
      const { direct } = yield* setUp()
      const read = direct.transaction("read committed", tx => tx.query("SELECT * FROM guard"))
      expect(yield* read).toEqual([{ name: "row", version: 0 }])
      yield* direct.query("ALTER TABLE guard ADD COLUMN note text")
      expect(yield* Effect.flip(read)).toMatchObject({ fault: "unavailable", code: "0A000" })
      expect(yield* read).toEqual([{ name: "row", version: 0, note: null }])
    }),
  )
})

describe("a store whose server is killed and started again", () => {
  it.live(
    "is unavailable meanwhile and has everything that was committed afterwards",
    () =>
      Effect.gen(function* () {
        const { url, server } = yield* postgresServer
        const storage = yield* storageOn(yield* migratedDatabase(url))
        yield* storage.query("INSERT INTO guard (name) VALUES ('row')")
        yield* storage.transaction("repeatable read", bump)
        yield* server.kill
        expect(yield* Effect.flip(storage.transaction("repeatable read", bump))).toMatchObject({ fault: "unavailable" })
        const again = yield* storage
          .transaction("repeatable read", bump)
          .pipe(Effect.retry(Schedule.spaced(50)), Effect.forkChild)
        yield* server.start
        yield* Fiber.join(again)
        expect(yield* versionIn(storage)).toBe(2)
      }),
    60_000,
  )
})
