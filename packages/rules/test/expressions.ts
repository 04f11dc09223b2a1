/** The rules' `Expressions` on the real expression language, as a service makes it. */
import { compile } from "@sluice/expressions/compile"
import { contexts } from "@sluice/expressions/environment"
import { evaluate } from "@sluice/expressions/evaluate"
import { toInput } from "@sluice/expressions/input"
import type { Expressions } from "../src/expressions.ts"

export const expressions: Expressions = {
  test: (place, text, variables) => {
    const compiled = compile(place, text)
    if (!compiled.ok) return { _tag: "Failed", message: compiled.message }
    const { instants } = contexts[place]
    const inputs = Object.entries(variables).map(([name, entity]) => [name, toInput(entity as never, instants)])
    const result = evaluate(compiled.expression, Object.fromEntries(inputs))
    if (result._tag !== "NoMatch") return result
    return result.reason === "missingKey" ? { _tag: "NoMatch", missingKey: result.key } : { _tag: "NoMatch" }
  },
}
