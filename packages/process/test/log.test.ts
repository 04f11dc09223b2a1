import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, Redacted } from "effect"
import { formatLine } from "../src/log.ts"

const linesOf = (effect: Effect.Effect<void>) => {
  const lines: Array<string> = []
  const collect = Logger.map(formatLine, line => void lines.push(line))
  return effect.pipe(Effect.provide(Logger.layer([collect])), Effect.as(lines))
}

describe("a line of the log", () => {
  it.live("has time, level, message and annotations, and hides secrets", () =>
    Effect.gen(function* () {
      const [line] = yield* linesOf(
        Effect.logWarning("lease lost").pipe(Effect.annotateLogs({ partition: 7, key: Redacted.make("hunter2") })),
      )
      assert.match(line ?? "", /^\d\d:\d\d:\d\d\.\d{3} WARN +lease lost partition=7 key=.*redacted/)
      assert.notInclude(line, "hunter2")
    }),
  )

  it.live("is followed by the cause of a failure", () =>
    Effect.gen(function* () {
      const [line] = yield* linesOf(
        Effect.die(new Error("disk full")).pipe(Effect.catchCause(cause => Effect.logError("commit failed", cause))),
      )
      assert.match(line ?? "", /commit failed[\s\S]*disk full/)
    }),
  )
})
