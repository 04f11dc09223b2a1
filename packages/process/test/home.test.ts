import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { firstKey, homePaths, newApiKey, openHome } from "../src/home.ts"
import { takeLockFile } from "../src/lock-file.ts"
import { identityOf, processesStartedWith } from "../src/process-table.ts"
import { canReach } from "../src/unprivileged.ts"

const folder = () => mkdtempSync(join(tmpdir(), "sluice-home-"))
const modeOf = (path: string) => statSync(path).mode & 0o777

describe("the lock of a home", () => {
  it.effect("keeps a second opener out, in one sentence that names the process, until the first one closes", () =>
    Effect.gen(function* () {
      const directory = folder()
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* openHome(directory)
          const error = yield* Effect.flip(openHome(directory))
          assert.strictEqual(error.reason, "inUse")
          assert.strictEqual(
            error.message,
            `${directory} is in use by process ${process.pid}: stop that one, or give this one another SLUICE_HOME.`,
          )
        }),
      )
      assert.isFalse(existsSync(join(directory, "lock")))
      yield* openHome(directory)
    }),
  )

  it("left by a process that was killed is taken over", async () => {
    const path = join(folder(), "lock")
    const child = spawn("sleep", ["60"])
    const holder = { pid: child.pid ?? 0, identity: identityOf(child.pid ?? 0) }
    writeFileSync(path, JSON.stringify(holder))
    assert.deepStrictEqual(takeLockFile(path), { taken: false, heldBy: holder.pid })
    child.kill("SIGKILL")
    await once(child, "exit")
    assert.isTrue(takeLockFile(path).taken)
    assert.strictEqual(JSON.parse(readFileSync(path, "utf8")).pid, process.pid)
  })

  it("of a dead process whose id another one has now is taken over", () => {
    const path = join(folder(), "lock")
    writeFileSync(path, JSON.stringify({ pid: process.ppid, identity: "another boot:1" }))
    assert.isTrue(takeLockFile(path).taken)
  })

  it("that holds no holder, as after a full disk, is taken over", () => {
    const path = join(folder(), "lock")
    writeFileSync(path, "")
    assert.isTrue(takeLockFile(path).taken)
  })
})

describe("a home", () => {
  it.effect("that cannot be created is an error of one sentence", () =>
    Effect.gen(function* () {
      const file = join(folder(), "file")
      writeFileSync(file, "")
      const error = yield* Effect.flip(openHome(join(file, "home")))
      assert.strictEqual(error.reason, "notWritable")
      assert.notInclude(error.message, "\n")
    }),
  )

  it("has another id than any other home, and the same one through a relative path", () => {
    const directory = folder()
    assert.notStrictEqual(homePaths(directory).id, homePaths(folder()).id)
    assert.strictEqual(homePaths(join(directory, "x", "..")).id, homePaths(directory).id)
  })
})

describe("the first key", () => {
  it.effect("is made once, of the contract's form, and kept for the owner alone", () =>
    Effect.gen(function* () {
      const home = yield* openHome(folder())
      const first = yield* firstKey(home, undefined)
      assert.isTrue(first.created)
      assert.match(Redacted.value(first.key), /^[0-9a-f]{16}\.[0-9a-f]{64}$/)
      assert.strictEqual(modeOf(first.path), 0o600)
      const later = yield* firstKey(home, newApiKey())
      assert.isFalse(later.created)
      assert.strictEqual(Redacted.value(later.key), Redacted.value(first.key))
    }),
  )

  it.effect("is the given one in a new installation", () =>
    Effect.gen(function* () {
      const given = newApiKey()
      const first = yield* firstKey(yield* openHome(folder()), given)
      assert.strictEqual(Redacted.value(first.key), Redacted.value(given))
      assert.strictEqual(readFileSync(first.path, "utf8").trim(), Redacted.value(given))
    }),
  )
})

describe("the process table", () => {
  it("finds a process by its program and one exact argument, and forgets it when it ended", async () => {
    const mark = `60.0${process.pid}`
    const child = spawn("sleep", ["0.0", mark])
    await once(child, "spawn")
    assert.deepStrictEqual(processesStartedWith("sleep", mark), [child.pid ?? 0])
    assert.deepStrictEqual(processesStartedWith("sleep", mark.slice(0, -1)), [])
    assert.deepStrictEqual(processesStartedWith("node", mark), [])
    child.kill()
    await once(child, "exit")
    assert.deepStrictEqual(processesStartedWith("sleep", mark), [])
    assert.isUndefined(identityOf(child.pid ?? 0))
  })
})

describe("another user", () => {
  it("reaches a directory only if every directory above lets that user pass", () => {
    const stranger = { uid: 65_534, gid: 65_534 }
    const closed = folder() // made with mode 0700
    const open = join(closed, "open")
    Effect.runSync(Effect.sync(() => homePaths(open)))
    assert.strictEqual(modeOf(open), 0o711)
    assert.isFalse(canReach(stranger, open))
    assert.isTrue(canReach(stranger, tmpdir()))
    const { uid, gid } = statSync(closed)
    assert.isTrue(canReach({ uid, gid }, open))
  })
})
