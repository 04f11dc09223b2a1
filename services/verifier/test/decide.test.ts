import { describe, expect, it } from "vitest"
import { Drive, metric, started, targetKey, verificationId } from "./drive.ts"

describe("a verification that starts", () => {
  it("asks for the first probe of every metric at once, and for a sleeping one after its sleep", () => {
    const sleep = metric({ name: "soak", count: 1, provider: { type: "sleep", durationSeconds: 90 } })
    const drive = started(metric(), sleep)
    expect(drive.probes.map(probe => [probe.metric, probe.round])).toEqual([[0, 1]])
    expect(drive.timers.get("probe-1")).toBe(drive.now + 90_000)
    drive.fire("probe-1")
    expect(drive.probes.map(probe => [probe.metric, probe.round])).toEqual([[0, 1], [1, 1]]) // biome-ignore format: pairs
  })

  it("passes when there is nothing to measure", () => {
    const drive = new Drive()
    expect(drive.start()).toEqual(["Started", "Concluded"])
    expect(drive.conclusions.map(conclusion => conclusion.status)).toEqual(["passed"])
  })
})

describe("a verification that is running", () => {
  it("puts the next probe one interval after the last one was measured", () => {
    const drive = started(metric({ intervalSeconds: 60 }))
    const asked = drive.now
    drive.now += 5_000
    drive.answer("passed", { measuredAt: asked + 1_000 })
    expect(drive.timers.get("probe-0")).toBe(asked + 61_000)
  })

  it("does not let a prober's clock that is an hour wrong move the next probe", () => {
    for (const skew of [-3_600_000, 3_600_000]) {
      const drive = started(metric({ intervalSeconds: 60 }))
      const asked = drive.now
      drive.now += 2_000
      drive.answer("passed", { measuredAt: asked + skew })
      expect(drive.timers.get("probe-0")).toBeGreaterThanOrEqual(asked + 60_000)
      expect(drive.timers.get("probe-0")).toBeLessThanOrEqual(asked + 62_000)
    }
  })

  it("asks again, under the same fence, when an answer never comes, and counts one of the two", () => {
    const drive = started(metric())
    expect(drive.fire("probe-0")).toEqual(["ProbeAsked"])
    expect(drive.probes.map(probe => probe.round)).toEqual([1, 1])
    expect(drive.answer("passed", { round: 1 })).toEqual(["Measured"])
    expect(drive.answer("failed", { round: 1 })).toBe('round 1 of metric "health" is not the one that is out')
    expect(drive.status()).toBe("running")
  })

  it("fails at its deadline when no verdict came by then, and says so", () => {
    const drive = started(metric({ intervalSeconds: 10, count: 6 }))
    const begun = drive.now
    expect(drive.timers.get("deadline-0")).toBe(begun + 360_000)
    for (let fired = drive.fireNext(); drive.status() === "running" && fired; ) fired = drive.fireNext()
    expect(drive.now).toBe(begun + 360_000)
    expect(drive.conclusions).toEqual([
      { verificationId, status: "failed", message: 'metric "health": no verdict within 360 s', at: drive.now },
    ])
  })

  it("gives a long sleep the time it needs beside the default deadline", () => {
    const sleep = metric({ intervalSeconds: 1, count: 1, provider: { type: "sleep", durationSeconds: 3_600 } })
    const drive = started(sleep)
    drive.fireNext()
    expect(drive.play("P").status).toBe("passed")
  })

  it("takes the metric's own timeout", () => {
    expect(started(metric({ timeoutSeconds: 7 })).timers.get("deadline-0")).toBe(new Drive().now + 7_000)
  })

  it("is failed by the first metric that fails, whichever it is, and stops measuring", () => {
    const drive = started(metric({ name: "a" }), metric({ name: "b" }))
    expect(drive.answer("failed", { metric: 1 })).toEqual(["Measured", "Concluded"])
    expect(drive.conclusions.map(({ status, message }) => [status, message])).toEqual([
      ["failed", 'metric "b": failed once, 0 allowed'],
    ])
    expect(drive.timers.size).toBe(0)
  })

  it("passes only when every metric has passed", () => {
    const drive = started(metric({ name: "a", count: 1 }), metric({ name: "b", count: 1 }))
    expect(drive.answer("passed", { metric: 1 })).toEqual(["Measured"])
    expect(drive.status()).toBe("running")
    expect(drive.answer("passed", { metric: 0 })).toEqual(["Measured", "Concluded"])
    expect(drive.conclusions).toEqual([
      { verificationId, status: "passed", message: "all 2 metrics passed", at: drive.now },
    ])
  })

  it("tells the target when the first failing probe was measured, of all metrics", () => {
    const drive = started(metric({ name: "a", failureThreshold: 1 }), metric({ name: "b", failureThreshold: 1 }))
    const first = drive.now + 10
    drive.now += 100
    drive.answer("failed", { metric: 0, measuredAt: first })
    drive.answer("passed", { metric: 1 })
    drive.fire("probe-0")
    drive.answer("failed", { metric: 0 })
    expect(drive.conclusions[0]?.firstFailedAt).toBe(first)
    expect(drive.effects.find(effect => effect._tag === "Send")).toMatchObject({ kind: "target", key: targetKey })
  })

  it("publishes each measurement and the conclusion", () => {
    const drive = started(metric({ count: 2 }))
    drive.play("PP")
    expect(drive.published("verification.measured").map(event => event.data.round)).toEqual([1, 2])
    expect(drive.published("verification.concluded").map(event => event.data.status)).toEqual(["passed"])
  })

  it("goes quietly when it is abandoned: no conclusion, no timer, and late answers change nothing", () => {
    const drive = started(metric())
    drive.tell({ type: "AbandonVerification", body: { reason: "the target left" } })
    expect(drive.conclusions).toEqual([])
    expect(drive.timers.size).toBe(0)
    expect(drive.answer("passed", { round: 1 })).toBe("the verification is over: abandoned")
  })
})
