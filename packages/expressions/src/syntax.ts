// What happens to a parsed expression before it may run: every name must be one the context knows, and guards are written
// into the tree (see `engine.ts`) that let the meter count comprehensions and tell a missing key from a wrong type. Pure
// functions on the library's syntax tree; it is our own copy, so the guards are written in place.
import type { CelEnv, parse } from "@bufbuild/cel"
import { compilePattern, guards } from "./engine.ts"

export type Parsed = ReturnType<typeof parse>
export type Expr = NonNullable<Parsed["expr"]>

export interface Refusal {
  readonly message: string
  /** The node the message is about, to look its position up with. */
  readonly id: bigint
}

/**
 * How deep an expression may nest. The library's planner and our walks are recursive, so this keeps them off the end of
 * the stack whatever the caller has used of it. A chain of `+` nests once per operand; `&&` and `||` are balanced.
 */
export const nestingMax = 200

/** Operators the planner handles itself, which are in no function table. */
const operators = new Set(["_[_]", "_?_:_", "_&&_", "_||_", "@not_strictly_false", "__not_strictly_false__"])

/** Names of types, which are values in CEL: `type(x) == string`. */
const typeNames = new Set(["int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type", "type"])

const messageTypes = new Set(["google.protobuf.Timestamp", "google.protobuf.Duration"])

interface Scope {
  readonly variables: ReadonlyArray<string>
  readonly env: CelEnv
}

/** The first name, function, pattern or form in the expression that this scope does not offer, if any. */
export function check(
  expr: Expr,
  scope: Scope,
  bound: ReadonlySet<string> = new Set(),
  depth = 0,
): Refusal | undefined {
  if (depth > nestingMax) return { message: `the expression nests deeper than ${nestingMax} levels`, id: expr.id }
  const below = (child: Expr | undefined, names = bound): Refusal | undefined =>
    child === undefined ? undefined : check(child, scope, names, depth + 1)

  const kind = expr.exprKind
  switch (kind.case) {
    case "identExpr":
      return checkName(kind.value.name, expr.id, scope, bound)
    case "selectExpr":
      return messageTypes.has(qualifiedName(expr) ?? "") ? undefined : below(kind.value.operand)
    case "callExpr": {
      const { args, function: name, target } = kind.value
      // `math.greatest(…)` parses as a method of a variable called math.
      const prefix = target === undefined ? undefined : qualifiedName(target)
      const namespaced = prefix !== undefined && scope.env.funcs.find(`${prefix}.${name}`) !== undefined
      if (!namespaced && !operators.has(name) && scope.env.funcs.find(name) === undefined) {
        return { message: unknownFunction(name, target !== undefined), id: expr.id }
      }
      return (
        (name === "matches" ? checkPattern(args.at(-1)) : undefined) ??
        (namespaced ? undefined : below(target)) ??
        firstOf(args, below)
      )
    }
    case "listExpr":
      return firstOf(kind.value.elements, below)
    case "structExpr":
      if (kind.value.messageName !== "") {
        return { message: `messages such as ${kind.value.messageName}{} cannot be built here`, id: expr.id }
      }
      return firstOf(kind.value.entries, entry => {
        const key = entry.keyKind.case === "mapKey" ? below(entry.keyKind.value) : undefined
        return key ?? below(entry.value)
      })
    case "comprehensionExpr": {
      const { accuInit, accuVar, iterRange, iterVar, iterVar2, loopCondition, loopStep, result } = kind.value
      const inside = new Set([...bound, accuVar, iterVar, iterVar2])
      return (
        below(iterRange) ??
        below(accuInit) ??
        below(loopCondition, inside) ??
        below(loopStep, inside) ??
        below(result, inside)
      )
    }
    default:
      return undefined
  }
}

/** Writes the guards into the tree. `variables` are those that always hold a map, whose fields need no guard. */
export function guard(expr: Expr, variables: ReadonlyArray<string>, bound: ReadonlySet<string> = new Set()): void {
  const kind = expr.exprKind
  switch (kind.case) {
    case "selectExpr": {
      const { operand } = kind.value
      if (operand === undefined) return
      guard(operand, variables, bound)
      kind.value.operand = guardContainer(operand, guards.fields, variables, bound)
      return
    }
    case "callExpr": {
      const { args, target } = kind.value
      if (target !== undefined) guard(target, variables, bound)
      for (const arg of args) guard(arg, variables, bound)
      const [container, index] = args
      if (kind.value.function === "_[_]" && container !== undefined && index !== undefined) {
        const byText = index.exprKind.case === "constExpr" && index.exprKind.value.constantKind.case === "stringValue"
        args[0] = guardContainer(container, byText ? guards.fields : guards.items, variables, bound)
      }
      return
    }
    case "listExpr":
      for (const element of kind.value.elements) guard(element, variables, bound)
      return
    case "structExpr":
      for (const entry of kind.value.entries) {
        if (entry.keyKind.case === "mapKey") guard(entry.keyKind.value, variables, bound)
        if (entry.value !== undefined) guard(entry.value, variables, bound)
      }
      return
    case "comprehensionExpr": {
      const fold = kind.value
      const inside = new Set([...bound, fold.accuVar, fold.iterVar, fold.iterVar2])
      for (const outer of [fold.iterRange, fold.accuInit]) if (outer !== undefined) guard(outer, variables, bound)
      for (const inner of [fold.loopCondition, fold.loopStep, fold.result]) {
        if (inner !== undefined) guard(inner, variables, inside)
      }
      if (fold.iterRange !== undefined) fold.iterRange = callOf(guards.range, fold.iterRange)
      if (fold.loopCondition !== undefined) fold.loopCondition = callOf(guards.step, fold.loopCondition)
      return
    }
    default:
      return
  }
}

/**
 * A bare variable is always a map and needs no guard. A dotted name that starts with neither a variable nor a
 * comprehension's name may be a qualified name (`google.protobuf.Timestamp`), which a call around its head would break.
 */
function guardContainer(
  operand: Expr,
  name: string,
  variables: ReadonlyArray<string>,
  bound: ReadonlySet<string>,
): Expr {
  const head = headOfName(operand)
  if (head !== undefined && !bound.has(head)) {
    if (!variables.includes(head) || operand.exprKind.case === "identExpr") return operand
  }
  return callOf(name, operand)
}

function callOf(name: string, argument: Expr): Expr {
  return {
    $typeName: "cel.expr.Expr",
    id: argument.id,
    exprKind: { case: "callExpr", value: { $typeName: "cel.expr.Expr.Call", function: name, args: [argument] } },
  }
}

function checkName(name: string, id: bigint, scope: Scope, bound: ReadonlySet<string>): Refusal | undefined {
  const bare = name.startsWith(".") ? name.slice(1) : name
  if (bound.has(bare) || scope.variables.includes(bare) || typeNames.has(bare)) return undefined
  return { message: `unknown name ${bare}; known here: ${scope.variables.join(", ")}`, id }
}

function unknownFunction(name: string, method: boolean): string {
  if (name === "has" && !method)
    return `has() needs a field, as in has(resource.metadata.env); for a key with other characters write "key" in resource.metadata`
  return `unknown ${method ? "method" : "function"} ${name}()`
}

function checkPattern(pattern: Expr | undefined): Refusal | undefined {
  if (pattern?.exprKind.case !== "constExpr") return undefined
  const constant = pattern.exprKind.value.constantKind
  if (constant.case !== "stringValue") return undefined
  try {
    compilePattern(constant.value)
    return undefined
  } catch (error) {
    return { message: error instanceof Error ? error.message : String(error), id: pattern.id }
  }
}

function headOfName(expr: Expr): string | undefined {
  return qualifiedName(expr)?.replace(/^\./, "").split(".", 1)[0]
}

/** `a.b.c` for a chain of plain selections on an identifier, else undefined. Guarded operands are looked through. */
function qualifiedName(expr: Expr): string | undefined {
  const kind = expr.exprKind
  if (kind.case === "identExpr") return kind.value.name
  if (kind.case === "callExpr" && kind.value.function === guards.fields) {
    const inner = kind.value.args[0]
    return inner === undefined ? undefined : qualifiedName(inner)
  }
  if (kind.case !== "selectExpr" || kind.value.testOnly || kind.value.operand === undefined) return undefined
  const parent = qualifiedName(kind.value.operand)
  return parent === undefined ? undefined : `${parent}.${kind.value.field}`
}

function firstOf<T>(items: ReadonlyArray<T>, look: (item: T) => Refusal | undefined): Refusal | undefined {
  for (const item of items) {
    const found = look(item)
    if (found !== undefined) return found
  }
  return undefined
}
