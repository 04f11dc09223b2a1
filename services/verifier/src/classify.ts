/**
 * From what a provider answered to one measurement (semantics 4.10, steps 1 to 4). Pure: conditions arrive rendered, and
 * the answer as JSON in which a bigint is a CEL int.
 */
import type { MeasurementStatus } from "@sluice/domain/verification"
import { compile } from "@sluice/expressions/compile"
import { evaluate } from "@sluice/expressions/evaluate"
import { type JsonObject, toInput } from "@sluice/expressions/input"

export interface Conditions {
  readonly success: string
  /** Absent when the metric names none; an empty text is none. */
  readonly failure?: string
}

export interface Classified {
  readonly status: MeasurementStatus
  readonly message?: string
}

/**
 * A condition that does not compile is a provider error. A failure condition that holds or cannot be evaluated fails;
 * then the success condition decides. A missing key is "does not hold", in both. What neither decides is inconclusive
 * if there is a failure condition, else failed.
 */
export const classify = (conditions: Conditions, result: JsonObject): Classified => {
  const success = compile("verificationCondition", conditions.success)
  if (!success.ok) return { status: "error", message: `successCondition: ${success.message}` }
  const failureText = conditions.failure?.trim() ? conditions.failure : undefined
  const failure = failureText === undefined ? undefined : compile("verificationCondition", failureText)
  if (failure !== undefined && !failure.ok) return { status: "error", message: `failureCondition: ${failure.message}` }

  const variables = { result: toInput(result) }
  if (failure !== undefined) {
    const verdict = evaluate(failure.expression, variables)
    if (verdict._tag === "Match") return { status: "failed", message: "failureCondition holds" }
    if (verdict._tag === "Failed") return { status: "failed", message: `failureCondition: ${verdict.message}` }
  }
  const verdict = evaluate(success.expression, variables)
  switch (verdict._tag) {
    case "Match":
      return { status: "passed" }
    case "Failed":
      return { status: "failed", message: `successCondition: ${verdict.message}` }
    case "NoMatch": {
      const why = verdict.reason === "missingKey" ? `successCondition: ${verdict.key} is missing` : undefined
      const status = failure === undefined ? "failed" : "inconclusive"
      return { status, message: why ?? "successCondition does not hold" }
    }
  }
}
