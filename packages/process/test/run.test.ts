import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Exit } from "effect"
import { endingOf } from "../src/run.ts"

const live = (way: string) => spawn(process.execPath, [join(import.meta.dirname, "programs/live.ts"), way])

const ended = async (child: ReturnType<typeof live>, atStart?: () => void) => {
  let stdout = ""
  let stderr = ""
  child.stdout.on("data", text => {
    if (stdout === "" && atStart !== undefined) atStart()
    stdout += text
  })
  child.stderr.on("data", text => {
    stderr += text
  })
  const [code] = await once(child, "close")
  return { code, stdout, stderr }
}

describe("a process", () => {
  it("that succeeds exits 0 and says nothing", async () => {
    assert.deepStrictEqual(await ended(live("succeed")), { code: 0, stdout: "", stderr: "" })
  })

  it("that fails at start exits 1 with one sentence and no stack", async () => {
    assert.deepStrictEqual(await ended(live("fail")), { code: 1, stdout: "", stderr: "The home is in use.\n" })
  })

  it("whose port is taken exits 1 and names the port, however deep the cause lies", async () => {
    const { code, stderr } = await ended(live("busy"))
    assert.strictEqual(code, 1)
    assert.match(stderr, /^Port \d+ is in use by another process: stop that one, or set another port\.\n$/)
  })

  it("with a broken invariant exits 1 and shows where", async () => {
    const { code, stderr } = await ended(live("die"))
    assert.strictEqual(code, 1)
    assert.match(stderr, /an invariant broke[\s\S]*programs\/live\.ts/)
  })

  it.each(["SIGINT", "SIGTERM"] as const)(
    "that gets %s, even twice, releases what it holds and exits 0",
    async signal => {
      const child = live("stay")
      const outcome = await ended(child, () => {
        child.kill(signal)
        child.kill(signal)
      })
      assert.deepStrictEqual(outcome, { code: 0, stdout: "started\nreleased\n", stderr: "" })
    },
  )

  it("that interrupts itself does not pass for stopped by a signal", async () => {
    assert.strictEqual((await ended(live("interrupt"))).code, 1)
    assert.strictEqual(endingOf(Exit.interrupt(1), true).code, 0)
  })
})
