/**
 * Selectors against resources. Pure and synchronous: the caller hands over no more resources than it wants to hold the
 * event loop for. A missing key or a failing expression is "no match" for that resource alone (V-RT-4).
 */
import type { Resource } from "@sluice/domain/entities"
import { compile, type Expression } from "@sluice/expressions/compile"
import { evaluate } from "@sluice/expressions/evaluate"
import { type JsonObject, toInput } from "@sluice/expressions/input"
import type { MatchPair, Owner, SelectorRow } from "@sluice/store/planning"

export interface Selector {
  readonly owner: Owner
  readonly id: string
  readonly expression: Expression<"resourceSelector"> | undefined
}

export interface Selectors {
  readonly usable: ReadonlyArray<Selector>
  /**
   * Stored texts that do not compile. Saving refuses them, so these came from elsewhere: their match sets stay as they
   * are, rather than taking every target away.
   */
  readonly broken: ReadonlyArray<{ readonly owner: Owner; readonly id: string; readonly message: string }>
}

/** No selector, and an empty one, match nothing. */
export const compileSelectors = (rows: ReadonlyArray<SelectorRow>): Selectors => {
  const usable: Array<Selector> = []
  const broken: Array<Selectors["broken"][number]> = []
  for (const { owner, id, selector } of rows) {
    const text = selector?.trim() ?? ""
    const compiled = text === "" ? undefined : compile("resourceSelector", text)
    if (compiled === undefined) usable.push({ owner, id, expression: undefined })
    else if (compiled.ok) usable.push({ owner, id, expression: compiled.expression })
    else broken.push({ owner, id, message: compiled.message })
  }
  return { usable, broken }
}

export type Matches = { readonly [K in Owner]: ReadonlyArray<MatchPair> }

export const matchAll = (selectors: ReadonlyArray<Selector>, resources: ReadonlyArray<Resource>): Matches => {
  const matches: Record<Owner, Array<MatchPair>> = { deployment: [], environment: [] }
  const expressive = selectors.filter(selector => selector.expression !== undefined)
  for (const entity of resources) {
    // Converting costs more than an evaluation: once per resource, for all selectors.
    const resource = toInput(entity as unknown as JsonObject)
    for (const { owner, id, expression } of expressive) {
      if (expression === undefined || evaluate(expression, { resource })._tag !== "Match") continue
      matches[owner].push({ ownerId: id, resourceId: entity.id })
    }
  }
  return matches
}
