import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { describeSettings, givenServers, loadSettings, settings, settingsTable } from "../src/settings.ts"

const key = `${"0".repeat(16)}.${"a".repeat(64)}`

describe("settings of an empty environment", () => {
  it.effect("are the documented defaults", () =>
    Effect.gen(function* () {
      const loaded = yield* loadSettings({})
      assert.deepStrictEqual(
        [
          loaded.port,
          loaded.host,
          loaded.home,
          loaded.namespace,
          loaded.demo,
          loaded.workspace,
          loaded.log,
          loaded.partitions,
        ],
        [3000, "127.0.0.1", ".sluice", "sluice", "on", "default", "pretty", 16],
      )
      assert.deepStrictEqual([loaded.apiKey, loaded.natsUrl, loaded.databaseUrl], [undefined, undefined, undefined])
    }),
  )

  it.effect("are the same when variables are set but empty, as compose files leave them", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* loadSettings({ PORT: "", NATS_URL: "", SLUICE_DEMO: "" }), yield* loadSettings({}))
    }),
  )
})

describe("a given setting", () => {
  it.effect("is typed, and a secret is redacted wherever it is printed", () =>
    Effect.gen(function* () {
      const loaded = yield* loadSettings({
        PORT: "0",
        SLUICE_DEMO: "off",
        SLUICE_API_KEY: key,
        NATS_URL: "nats://u:hunter2@h:1",
      })
      assert.strictEqual(loaded.port, 0)
      assert.strictEqual(loaded.apiKey && Redacted.value(loaded.apiKey), key)
      const printed = `${describeSettings(loaded).join(" ")} ${JSON.stringify(loaded)} ${String(loaded.natsUrl)}`
      assert.include(printed, "SLUICE_DEMO=off")
      assert.include(printed, "SLUICE_API_KEY=<redacted>")
      assert.notInclude(printed, key)
      assert.notInclude(printed, "hunter2")
    }),
  )

  it.effect.each([
    {
      environment: { SLUICE_HOEM: "/x" },
      message: "SLUICE_HOEM is not a setting of Sluice; did you mean SLUICE_HOME?",
    },
    {
      environment: { SLUICE_DEMO_OFF: "1" },
      message: "SLUICE_DEMO_OFF is not a setting of Sluice; did you mean SLUICE_DEMO?",
    },
    { environment: { PORT: "abc" }, message: 'PORT must be a port number from 0 to 65535, not "abc".' },
    { environment: { PORT: "80.5" }, message: 'PORT must be a port number from 0 to 65535, not "80.5".' },
    { environment: { PORT: "65536" }, message: 'PORT must be a port number from 0 to 65535, not "65536".' },
    { environment: { SLUICE_DEMO: "no" }, message: 'SLUICE_DEMO must be on or off, not "no".' },
    {
      environment: { SLUICE_PARTITIONS: "0" },
      message: 'SLUICE_PARTITIONS must be a whole number from 1 to 1024, not "0".',
    },
    {
      environment: { SLUICE_NAMESPACE: "my.shop" },
      message:
        'SLUICE_NAMESPACE must be a lower-case word of at most 31 letters, digits and "_" that starts with a letter and not with "pg_", not "my.shop".',
    },
    {
      environment: { SLUICE_API_KEY: "hunter2" },
      message: "SLUICE_API_KEY must be 16 lower-case hexadecimal digits, a dot, and 64 more.",
    },
    {
      environment: { DATABASE_URL: "mysql://u:hunter2@h/d" },
      message: "DATABASE_URL must be an address such as postgres://user:password@host:5432/database.",
    },
  ])("that is wrong is refused in one sentence: $message", ({ environment, message }) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(loadSettings(environment))
      assert.strictEqual(error.message, message)
    }),
  )

  it.effect("of another program is nobody's business here", () =>
    loadSettings({ HOME: "/root", NATS_USER: "x", npm_config_x: "y" }),
  )
})

describe("a service on its own", () => {
  it.effect("does not start without the addresses of both servers", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(givenServers(yield* loadSettings({ NATS_URL: "nats://localhost:4222" })))
      assert.match(error.message, /^DATABASE_URL is not set: .*postgres:\/\/user:password@host/)
    }),
  )
})

describe("the table for the README", () => {
  it("has one row of four cells for every setting", () => {
    const rows = settingsTable().trimEnd().split("\n")
    assert.strictEqual(rows.length, 2 + Object.keys(settings).length)
    assert.isTrue(rows.every(row => row.split(" | ").length === 4))
    assert.include(settingsTable(), "| `SLUICE_HOME` | `.sluice` |")
    assert.include(settingsTable(), "| `SLUICE_API_KEY` | generated |")
  })
})
