/** The rules' view of the expression language: compiled texts and converted entities are remembered, nothing throws. */

import { compile, type Variables } from "@sluice/expressions/compile"
import { contexts } from "@sluice/expressions/environment"
import { evaluate } from "@sluice/expressions/evaluate"
import { type Input, type JsonObject, toInput } from "@sluice/expressions/input"
import type { ExpressionPlace, Expressions, ExpressionVariables } from "@sluice/rules/expressions"

/** By how instants read there: the same entity looks different in two places. */
const converted = { text: new WeakMap<object, Input>(), timestamp: new WeakMap<object, Input>() }

const inputOf = (place: ExpressionPlace, entity: object): Input => {
  const { instants } = contexts[place]
  const known = converted[instants].get(entity)
  if (known !== undefined) return known
  const input = toInput(entity as JsonObject, instants)
  converted[instants].set(entity, input)
  return input
}

export const expressions: Expressions = {
  test: (place, text, variables) => {
    const compiled = compile(place, text)
    if (!compiled.ok) return { _tag: "Failed", message: compiled.message }
    const result = evaluate(compiled.expression, inputsOf(place, variables))
    if (result._tag !== "NoMatch") return result
    return result.reason === "missingKey" ? { _tag: "NoMatch", missingKey: result.key } : { _tag: "NoMatch" }
  },
}

const inputsOf = (place: ExpressionPlace, variables: ExpressionVariables): Variables<ExpressionPlace> =>
  Object.fromEntries(
    Object.entries(variables).flatMap(([name, entity]) =>
      entity === undefined ? [] : [[name, inputOf(place, entity)]],
    ),
  )
