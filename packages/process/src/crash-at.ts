/**
 * `CRASH_AT=<point>[:n]`: the process ends itself, as `kill -9` would, when it comes to that point of the runtime for the
 * n-th time. For fault tests only; no setting, since nobody who runs Sluice wants it.
 */
import { type CrashPoint, crashPoints } from "@sluice/actor/crash-point"

/** What to do at a point; throws on a name that is none, so that a test cannot silently test nothing. */
export const crashAt = (
  text: string | undefined = process.env.CRASH_AT,
  die: () => void = () => process.kill(process.pid, "SIGKILL"),
): ((point: CrashPoint) => void) => {
  if (text === undefined || text === "") return () => {}
  const [name, nth = "1"] = text.split(":")
  if (!(crashPoints as ReadonlyArray<string>).includes(name ?? "")) {
    throw new Error(`CRASH_AT names no point of the runtime: ${text}; there are ${crashPoints.join(", ")}`)
  }
  let left = Number(nth)
  return point => {
    if (point === name && --left === 0) die()
  }
}
