// The real servers, started, killed and started again from outside.
import { readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { afterEach, assert, describe, it } from "vitest"
import { addNatsUser } from "../../src/embedded-nats.ts"
import { natsHandshake } from "../../src/nats-handshake.ts"
import { postgresAnswers } from "../../src/postgres-handshake.ts"
import { entriesOf, isRunning, killAll, newHome, signal, start, stopAll, until } from "./installations.ts"
import { jetStream, natsTalk } from "./raw-clients.ts"

const slow = { timeout: 60_000 } // the first run on a machine fetches nats-server
const stopMillisecondsMax = 10_000

afterEach(stopAll)

describe("an installation that is started for the first time", () => {
  it("has both servers up, with credentials, and both answer", slow, async () => {
    const running = await start(newHome())
    const { natsPort: port, natsPassword: password } = running
    assert.deepInclude(await Effect.runPromise(natsHandshake({ port, user: "sluice", password })), {
      answer: "accepted",
      jetstream: true,
    })
    assert.isTrue(await Effect.runPromise(postgresAnswers(running.postgresPort, "sluice")))
    assert.strictEqual(running.databaseUrl.split("@")[1], `127.0.0.1:${running.postgresPort}/sluice`)
  })

  it("refuses everybody without the right password", slow, async () => {
    const { natsPort: port } = await start(newHome())
    for (const login of [
      { port, user: "sluice", password: "wrong" },
      { port, user: "", password: "" },
    ]) {
      assert.deepInclude(await Effect.runPromise(natsHandshake(login)), { answer: "refused" })
    }
  })

  it("keeps its secrets for its owner alone", slow, async () => {
    const home = newHome()
    await start(home)
    for (const file of ["lock", "nats/password", "nats/users.conf", "nats/users.json", "postgres/password"]) {
      assert.strictEqual(statSync(join(home, file)).mode & 0o077, 0, file)
    }
    assert.strictEqual(statSync(join(home, "postgres/data")).mode & 0o077, 0)
  })

  it("ends within ten seconds of SIGTERM, exits 0, and everything it started is stopped", slow, async () => {
    const running = await start(newHome())
    const before = performance.now()
    assert.strictEqual(await signal(running, "SIGTERM"), 0)
    assert.isBelow(performance.now() - before, stopMillisecondsMax)
    assert.deepStrictEqual([running.natsPid, running.postgresPid].map(isRunning), [false, false])
  })

  it("works for a user without any rights of root", slow, async () => {
    const nobody = process.getuid?.() === 0 ? 65_534 : undefined
    const home = newHome(nobody)
    const first = await start(home, nobody)
    await signal(first, "SIGTERM")
    const second = await start(home, nobody)
    assert.deepStrictEqual([second.natsPort, second.postgresPort], [first.natsPort, first.postgresPort])
    assert.strictEqual(statSync(join(home, "postgres/data")).uid, statSync(home).uid)
  })
})

describe("a home in use", () => {
  it("refuses a second start in one sentence, and the first one goes on", slow, async () => {
    const home = newHome()
    const first = await start(home)
    const refusal = await start(home).then(
      () => "started",
      error => String(error.message),
    )
    assert.strictEqual(
      refusal,
      `exit 1: ${home} is in use by process ${first.child.pid}: stop that one, or give this one another SLUICE_HOME.\n`,
    )
    assert.deepStrictEqual([first.natsPid, first.postgresPid].map(isRunning), [true, true])
  })

  it("is nothing to another home: two run side by side", slow, async () => {
    const [one, other] = await Promise.all([start(newHome()), start(newHome())])
    assert.strictEqual(new Set([one.natsPort, other.natsPort, one.postgresPort, other.postgresPort]).size, 4)
    await signal(one, "SIGTERM")
    assert.deepStrictEqual([other.natsPid, other.postgresPid].map(isRunning), [true, true])
  })
})

describe("an installation that was killed", () => {
  it("leaves its servers, which the next start stops; data, ports and passwords are the same", slow, async () => {
    const home = newHome()
    const killed = await start(home)
    const stream = { name: "kept", subjects: ["kept.>"], storage: "file" }
    await jetStream(killed.natsPort, killed.natsPassword, "$JS.API.STREAM.CREATE.kept", stream)
    const stored = await jetStream(killed.natsPort, killed.natsPassword, "kept.x", { n: 1 })
    assert.deepInclude(stored, { stream: "kept", seq: 1 })
    await signal(killed, "SIGKILL")
    assert.deepStrictEqual([killed.natsPid, killed.postgresPid].map(isRunning), [true, true])

    const next = await start(home)
    assert.deepStrictEqual([killed.natsPid, killed.postgresPid].map(isRunning), [false, false])
    assert.deepStrictEqual(
      [next.natsPort, next.natsPassword, next.databaseUrl],
      [killed.natsPort, killed.natsPassword, killed.databaseUrl],
    )
    const info = await jetStream(next.natsPort, next.natsPassword, "$JS.API.STREAM.INFO.kept", {})
    assert.strictEqual(info.state.messages, 1)
  })

  it("together with its servers starts again, although Postgres left its lock behind", slow, async () => {
    const home = newHome()
    const killed = await start(home)
    await signal(killed, "SIGKILL")
    process.kill(killed.postgresPid, "SIGKILL")
    process.kill(killed.natsPid, "SIGKILL")
    const next = await start(home)
    assert.strictEqual(next.databaseUrl, killed.databaseUrl)
    assert.match(
      readFileSync(join(home, "postgres/postgres.log"), "utf8"),
      /automatic recovery in progress|not properly shut down/,
    )
  })

  it("while it created the database leaves no half of it in the way", slow, async () => {
    const home = newHome()
    const first = start(home).catch(() => "killed")
    const half = () => entriesOf(join(home, "postgres")).find(name => name.startsWith("data.new-"))
    await until(() => half() !== undefined)
    const left = half()
    await killAll()
    await first
    const next = await start(home)
    assert.isTrue(await Effect.runPromise(postgresAnswers(next.postgresPort, "sluice")))
    assert.notInclude(entriesOf(join(home, "postgres")), left)
  })
})

describe("a server that dies unasked", () => {
  it.each(["natsPid", "postgresPid"] as const)("is started again on its port (%s)", slow, async which => {
    const home = newHome()
    const running = await start(home)
    process.kill(running[which], "SIGKILL")
    await until(() => !isRunning(running[which]))
    if (which === "natsPid") {
      const login = { port: running.natsPort, user: "sluice", password: running.natsPassword }
      await until(async () => (await Effect.runPromise(natsHandshake(login))).answer === "accepted")
    } else await until(() => Effect.runPromise(postgresAnswers(running.postgresPort, "sluice")))
    assert.strictEqual(await signal(running, "SIGTERM"), 0)
  })
})

describe("a NATS user added while the server runs", () => {
  const user = {
    name: "agent-eu",
    password: "a password-free choice".replaceAll(" ", "-"),
    permissions: { publish: ["work.report"], subscribe: ["_INBOX.>"] },
  }
  const may = (port: number, subject: string) =>
    natsTalk(port, user.name, user.password, `PUB ${subject} 2\r\nhi\r\n`, /PONG/)

  it("can log in at once, may do what it was given and nothing else, and survives a restart", slow, async () => {
    const home = newHome()
    const running = await start(home)
    const login = { port: running.natsPort, user: user.name, password: user.password }
    assert.deepInclude(await Effect.runPromise(natsHandshake(login)), { answer: "refused" })
    await Effect.runPromise(addNatsUser(home, user))
    assert.notInclude(await may(running.natsPort, "work.report"), "-ERR")
    assert.include(await may(running.natsPort, "work.other"), "Permissions Violation for Publish")

    await signal(running, "SIGTERM")
    const again = await start(home)
    assert.notInclude(await may(again.natsPort, "work.report"), "-ERR")
  })

  it("cannot take the name of Sluice's own, and its parts are checked", slow, async () => {
    const home = newHome()
    await start(home)
    const own = await Effect.runPromise(Effect.flip(addNatsUser(home, { ...user, name: "sluice" })))
    assert.include(own.message, "Sluice's own")
    const bad = await Effect.runPromise(Effect.flip(addNatsUser(home, { ...user, password: "short" })))
    assert.strictEqual(bad.reason, "invalidUser")
  })
})
