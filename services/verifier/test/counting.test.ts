import { describe, expect, it } from "vitest"
import { metric, started } from "./drive.ts"

const conditions = { failureCondition: "result.statusCode >= 500" }

describe("measurements of one metric", () => {
  it("pass it once all of them passed, and fail it at the first failure (V-VE-1)", () => {
    expect(started(metric({ count: 3 })).play("PPP")).toEqual({ status: "passed", measurements: 3 })
    expect(started(metric({ count: 3 })).play("PFP")).toEqual({ status: "failed", measurements: 2 })
  })

  it("fail it when there are more failures than the threshold tolerates (V-VE-2)", () => {
    const spec = metric({ count: 5, failureThreshold: 1 })
    expect(started(spec).play("PFPFP")).toEqual({ status: "failed", measurements: 4 })
    expect(started(spec).play("PFPPP")).toEqual({ status: "passed", measurements: 5 })
  })

  it("pass it early after enough passes in a row (V-VE-3)", () => {
    const spec = metric({ count: 10, successThreshold: 3 })
    expect(started(spec).play("PPPPPP")).toEqual({ status: "passed", measurements: 3 })
    expect(started(spec).play("PPFPPP")).toEqual({ status: "failed", measurements: 3 })
    expect(started({ ...spec, failureThreshold: 1 }).play("PPFPPP")).toEqual({ status: "passed", measurements: 6 })
  })

  it("start the row of passes anew after an inconclusive one (V-VE-4)", () => {
    const spec = metric({ count: 10, successThreshold: 2, ...conditions })
    expect(started(spec).play("PIPPPP")).toEqual({ status: "passed", measurements: 4 })
  })

  it("fail it when all of them are inconclusive, unless inconclusive is passed (V-VE-5)", () => {
    const spec = metric({ count: 3, ...conditions })
    expect(started(spec).play("III")).toEqual({ status: "failed", measurements: 3 })
    expect(started({ ...spec, inconclusiveIs: "passed" }).play("III")).toEqual({ status: "passed", measurements: 3 })
    expect(started(spec).play("IPI")).toEqual({ status: "passed", measurements: 3 })
  })

  it("pass it at the end when the failures stayed within the threshold (V-VE-6)", () => {
    const spec = metric({ count: 3, failureThreshold: 2 })
    expect(started(spec).play("FFP")).toEqual({ status: "passed", measurements: 3 })
    expect(started(spec).play("FFF")).toEqual({ status: "failed", measurements: 3 })
  })

  it("count failures in a row only, where the metric says so", () => {
    const spec = metric({ count: 5, failureThreshold: 1, failureThresholdCounts: "consecutive" })
    expect(started(spec).play("PFPFP")).toEqual({ status: "passed", measurements: 5 })
    expect(started(spec).play("PPFFP")).toEqual({ status: "failed", measurements: 4 })
  })

  it("are not provider errors: five of those in a row fail the metric, by default (V-VE-7)", () => {
    expect(started(metric()).play("EEEEEE")).toEqual({ status: "failed", measurements: 5 })
    expect(started(metric({ maxErrors: 2 })).play("EPEEP")).toEqual({ status: "failed", measurements: 4 })
    expect(started(metric()).play("EEEEPEEEEPP")).toEqual({ status: "passed", measurements: 11 })
    expect(started(metric({ count: 9, successThreshold: 2 })).play("PEP")).toEqual({
      status: "passed",
      measurements: 3,
    })
  })

  it("treat a success threshold of nought as none", () => {
    expect(started(metric({ count: 2, successThreshold: 0 })).play("PP")).toEqual({ status: "passed", measurements: 2 })
  })
})

describe("two metrics of one name", () => {
  it("are one: the first, from the policy of higher priority (V-VE-8)", () => {
    const drive = started(metric({ count: 5 }), metric({ count: 9 }))
    expect(drive.probes).toHaveLength(1)
    expect(drive.play("PPPPP")).toEqual({ status: "passed", measurements: 5 })
  })
})
