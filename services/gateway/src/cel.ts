/** Expressions are compiled when they are saved: one that cannot work is refused with the problem and its place. */
import { type ApiError, apiError } from "@sluice/api/error"
import { compile } from "@sluice/expressions/compile"
import type { ContextName } from "@sluice/expressions/environment"
import { type EvalResult, evaluate } from "@sluice/expressions/evaluate"
import { type Json, toInput } from "@sluice/expressions/input"
import { Effect } from "effect"

/** `field` says where in the body the expression stands. Absent texts pass. */
export const checkCel = (
  context: ContextName,
  field: string,
  text: string | undefined,
): Effect.Effect<void, ApiError> => {
  if (text === undefined) return Effect.void
  const compiled = compile(context, text)
  if (compiled.ok) return Effect.void
  return Effect.fail(
    apiError("INVALID_CEL", `${field}: ${compiled.message}`, {
      field,
      ...(compiled.position === undefined ? {} : { position: compiled.position }),
    }),
  )
}

type FilterContext = "deploymentFilter" | "versionFilter" | "resourceSelector"
const variableOf = { deploymentFilter: "deployment", versionFilter: "version", resourceSelector: "resource" } as const

/**
 * A list's `cel` filter. The command line encodes twice, so a text that does not compile is tried once more form-decoded.
 * `onFailed` says what an evaluation error means for the row: out, or a refusal of the whole request.
 */
export const filterBy = <Row>(
  context: FilterContext,
  text: string,
  rows: ReadonlyArray<Row>,
  options: { readonly entity: (row: Row) => { readonly [key: string]: Json }; readonly onFailed: "skip" | "refuse" },
): Effect.Effect<ReadonlyArray<Row>, ApiError> =>
  Effect.gen(function* () {
    const plain = compile(context, text)
    const compiled = plain.ok ? plain : compile(context, formDecoded(text))
    if (!compiled.ok) return yield* apiError("INVALID_CEL", `cel: ${plain.ok ? "" : plain.message}`, { field: "cel" })
    const kept: Array<Row> = []
    for (const row of rows) {
      const result: EvalResult = evaluate(compiled.expression, {
        [variableOf[context]]: toInput(options.entity(row)),
      })
      if (result._tag === "Match") kept.push(row)
      if (result._tag === "Failed" && options.onFailed === "refuse") {
        return yield* apiError("INVALID_CEL", `cel: ${result.message}`, { field: "cel" })
      }
    }
    return kept
  })

const formDecoded = (text: string): string => {
  try {
    return decodeURIComponent(text.replaceAll("+", " "))
  } catch {
    return text // No second encoding, then; the first refusal stands.
  }
}

/** Does a stored selector pick the resource? None given, and one that cannot be used, pick nothing. */
export const selects = (selector: string | null, resource: { readonly [key: string]: Json }): boolean => {
  const compiled = compile("resourceSelector", selector ?? "false")
  return compiled.ok && evaluate(compiled.expression, { resource: toInput(resource) })._tag === "Match"
}
