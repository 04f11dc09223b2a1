// The same servers held by a scope in this process, as the test kit holds them.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { openHome } from "../../src/home.ts"
import { natsHandshake } from "../../src/nats-handshake.ts"
import { postgresAnswers } from "../../src/postgres-handshake.ts"
import { type Servers, splitNatsUrl, startServers } from "../../src/start-servers.ts"
import { isRunning, newHome, stopAll } from "./installations.ts"

const slow = { timeout: 60_000 }
afterAll(stopAll)

const natsAccepts = ({ nats, natsLogin }: Servers) =>
  natsHandshake({
    port: nats?.port ?? 0,
    user: natsLogin?.user ?? "",
    password: Redacted.value(natsLogin?.password ?? Redacted.make("")),
  }).pipe(Effect.map(answer => answer.answer === "accepted"))

describe("servers for tests", () => {
  it.live(
    "are killed, stopped and started again by hand, on the same ports",
    () =>
      Effect.gen(function* () {
        const directory = newHome()
        const home = yield* openHome(directory)
        const servers = yield* startServers({ home, fsync: false, restarts: false })
        const { nats, postgres } = servers
        if (nats === undefined || postgres === undefined) return assert.fail("both are embedded")

        yield* nats.kill
        assert.isUndefined(yield* nats.pid)
        assert.isFalse(yield* natsAccepts(servers))
        yield* nats.start
        assert.isTrue(yield* natsAccepts(servers))

        const before = yield* postgres.pid
        yield* postgres.kill
        assert.isFalse(isRunning(before ?? 0))
        yield* postgres.start
        yield* postgres.stop
        assert.isFalse(yield* postgresAnswers(postgres.port, "sluice"))
        yield* postgres.start
        assert.isTrue(yield* postgresAnswers(postgres.port, "sluice"))
      }),
    slow,
  )

  it.live(
    "are gone with their scope, and the home is free again",
    () =>
      Effect.gen(function* () {
        const directory = newHome()
        const pids = yield* Effect.scoped(
          Effect.gen(function* () {
            const { nats, postgres } = yield* startServers({ home: yield* openHome(directory), fsync: false })
            return [yield* nats?.pid ?? Effect.undefined, yield* postgres?.pid ?? Effect.undefined]
          }),
        )
        assert.deepStrictEqual(
          pids.map(pid => pid !== undefined && isRunning(pid)),
          [false, false],
        )
        assert.isFalse(existsSync(join(directory, "lock")))
        assert.isFalse(existsSync(join(directory, "postgres/data/postmaster.pid")))
      }),
    slow,
  )
})

describe("given addresses", () => {
  it.live("are used as they are and nothing is started", () =>
    Effect.gen(function* () {
      const directory = newHome()
      const servers = yield* startServers({
        home: yield* openHome(directory),
        natsUrl: Redacted.make("nats://ci:p%40ss@broker:4222"),
        databaseUrl: Redacted.make("postgres://u:p@db/x"),
      })
      assert.strictEqual(servers.natsUrl, "nats://broker:4222")
      assert.strictEqual(servers.natsLogin?.user, "ci")
      assert.strictEqual(servers.natsLogin && Redacted.value(servers.natsLogin.password), "p@ss")
      assert.deepStrictEqual([servers.nats, servers.postgres], [undefined, undefined])
      assert.deepStrictEqual(readdirSync(directory), ["lock"])
    }),
  )

  it("without a user have no login", () => {
    assert.deepStrictEqual(splitNatsUrl("nats://127.0.0.1:4222"), { url: "nats://127.0.0.1:4222", login: undefined })
  })
})

describe("a server that cannot start", () => {
  it.live(
    "fails with one sentence that holds what it said and where its log is",
    () =>
      Effect.gen(function* () {
        const directory = newHome()
        const home = yield* openHome(directory)
        yield* Effect.scoped(startServers({ home, fsync: false }))
        writeFileSync(join(directory, "postgres/data/postgresql.conf"), "no_such_setting = 1\n")
        const error = yield* Effect.flip(Effect.scoped(startServers({ home, fsync: false })))
        assert.strictEqual(error.reason, "didNotStart")
        assert.match(error.message, /^postgres did not start \(exit code 1: .*\); its log is .*postgres\.log\.$/)
        assert.include(readFileSync(join(directory, "postgres/postgres.log"), "utf8"), "no_such_setting")
      }),
    slow,
  )
})
