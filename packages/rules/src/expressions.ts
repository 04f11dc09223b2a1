/**
 * How rules ask whether an expression holds. Whoever calls the rules passes an implementation in (compile, convert the
 * entities, evaluate; see the `expressions` package), so that nothing here knows the expression language.
 */

/** The places where a policy carries an expression. The names are those of the `expressions` package. */
export type ExpressionPlace = "policySelector" | "versionSelector" | "environmentSelector"

/** Entities by variable name. The same object is the same entity: an implementation may remember what it made of one. */
export type ExpressionVariables = {
  readonly [name in "resource" | "deployment" | "environment" | "version"]?: object
}

export type Tested =
  | { readonly _tag: "Match" }
  /** A key that is not there is "no match", and is named. */
  | { readonly _tag: "NoMatch"; readonly missingKey?: string }
  /** Does not compile, breaks while running, or gives no boolean. */
  | { readonly _tag: "Failed"; readonly message: string }

export interface Expressions {
  /** Never throws. */
  readonly test: (place: ExpressionPlace, text: string, variables: ExpressionVariables) => Tested
}
