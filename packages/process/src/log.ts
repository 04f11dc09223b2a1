// How a process logs: one line per entry on stderr, for people or as JSON, so that stdout belongs to what the product
// itself says. What is logged and at which level is decided where it happens; `Redacted` values print as `<redacted>`.
import { Effect, Inspectable, Layer, Logger, References } from "effect"
import type { Settings } from "./settings.ts"

/** The logger of a process, replacing Effect's default one. */
export const loggerLayer = (log: Settings["log"]): Layer.Layer<never> =>
  Layer.mergeAll(
    Logger.layer([Logger.withConsoleError(log === "json" ? Logger.formatJson : formatLine)]),
    Layer.succeed(References.MinimumLogLevel, log === "quiet" ? "Warn" : "Info"),
  )

/** `12:03:04.567 WARN  message key=value`, then the cause, if any. */
export const formatLine: Logger.Logger<unknown, string> = Logger.map(Logger.formatStructured, entry => {
  const time = entry.timestamp.slice(11, 23)
  const words = (Array.isArray(entry.message) ? entry.message : [entry.message]).map(shown)
  const pairs = Object.entries(entry.annotations).map(([key, value]) => `${key}=${shown(value)}`)
  const line = [time, entry.level.padEnd(5), ...words, ...pairs].join(" ")
  return entry.cause === undefined ? line : `${line}\n${entry.cause}`
})

const shown = (value: unknown): string => (typeof value === "string" ? value : Inspectable.toStringUnknown(value, 0))

/** Logs one line per setting, secrets redacted; once, at start. */
export const logSettings = (lines: ReadonlyArray<string>): Effect.Effect<void> =>
  Effect.logInfo(`settings: ${lines.join(" ")}`)
