import { crashPoints } from "@sluice/actor/crash-point"
import { describe, expect, it } from "vitest"
import { crashAt } from "../src/crash-at.ts"

/** How often it died on the way past these points. */
const deaths = (text: string, points: ReadonlyArray<(typeof crashPoints)[number]>): number => {
  let died = 0
  const reached = crashAt(text, () => {
    died++
  })
  for (const point of points) reached(point)
  return died
}

describe("CRASH_AT", () => {
  it("does nothing unless it is set", () => {
    expect(deaths("", crashPoints)).toBe(0)
  })

  it("ends the process when the point is reached for the n-th time, and at no other point", () => {
    expect(deaths("batch-committed:3", ["batch-committed", "batch-decided", "batch-committed", "work-done"])).toBe(0)
    expect(deaths("batch-committed:3", ["batch-committed", "batch-committed", "batch-committed"])).toBe(1)
    expect(deaths("work-done", ["work-taken", "work-done"])).toBe(1)
  })

  it("refuses a name that is no point, so that no test silently tests nothing", () => {
    expect(() => crashAt("batch-comitted")).toThrow("CRASH_AT names no point of the runtime")
  })
})
