import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Exit, Schedule, Scope } from "effect"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { startChild } from "../src/child-process.ts"
import { processesStartedWith } from "../src/process-table.ts"

let directory = ""
let mark = ""
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sluice-child-"))
  mark = `--of=${directory}`
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const child = (program: string) => {
  const file = join(directory, "program.mjs")
  writeFileSync(file, program)
  return startChild({ file, mark, environment: { GREETING: "hello" }, logFile: join(directory, "log") })
}
const forever = `console.log(process.env.GREETING, process.pid); setInterval(() => {}, 1000)`

const lives = (): ReadonlyArray<string> =>
  readFileSync(join(directory, "log"), "utf8").trim().split("\n").filter(Boolean)
const untilLives = (count: number) =>
  Effect.repeat(
    Effect.sync(() => lives().length),
    { until: seen => seen === count, schedule: Schedule.spaced(10) },
  ).pipe(Effect.timeout("10 seconds"))
const running = () => processesStartedWith("node", mark)

describe("a child process of ours", () => {
  test("runs with the variables given until the scope closes", async () => {
    await Effect.runPromise(Effect.scoped(Effect.andThen(child(forever), untilLives(1))))
    expect(lives()[0]).toMatch(/^hello \d+$/)
    expect(running()).toEqual([])
  })

  test("is another process after it was killed and started, and neither counts as a death nobody asked for", async () => {
    const died = await Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const one = yield* child(forever)
          yield* untilLives(1)
          yield* one.kill
          yield* one.start
          yield* untilLives(2)
          return yield* Effect.timeoutOption(one.diedUnasked, 0)
        }),
      ),
    )
    expect(new Set(lives()).size).toBe(2)
    expect(died._tag).toBe("None")
  })

  test("that ends by itself says how", async () => {
    const how = await Effect.runPromise(Effect.scoped(Effect.flatMap(child("process.exit(3)"), one => one.diedUnasked)))
    expect(how).toBe("exit code 3")
  })

  test("that a killed parent left running is ended before the next one starts", async () => {
    const left = Scope.makeUnsafe()
    await Effect.runPromise(Effect.andThen(Scope.provide(child(forever), left), untilLives(1)))
    const before = running()
    await Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          yield* child(forever)
          yield* untilLives(2)
          expect(running()).toHaveLength(1)
          expect(running()).not.toEqual(before)
        }),
      ),
    )
    await Effect.runPromise(Scope.close(left, Exit.void))
  })
})
