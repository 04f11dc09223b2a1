// The step budget of one evaluation. CEL always ends, but nested comprehensions, string growth and shared lists can make
// it end after hours. The meter counts, before the work is done: every function call, every turn of a comprehension, and
// the size of what a call has to walk. Field reads are not counted: an expression has a bounded number of them, so between
// two counted steps there is at most one expression's length of uncounted work. The library has no budget of its own;
// this file knows what a call costs, `engine.ts` puts it in front of every call.
import { type CelValue, isCelList, isCelMap } from "@bufbuild/cel"

/**
 * Steps one evaluation may take. Measured on a small shared machine: most expressions written to be dear spend it in
 * some 100 ms, the worst (a long regular expression on a long text) in about a second, and an ordinary selector spends under 100 steps.
 */
export const stepBudget = 100_000

/** Characters that cost one step: native string functions move about this much in the time of one function call. */
const charactersPerStep = 64

/**
 * Text length times pattern length that costs one step: the matcher is linear in each. This lets a pattern of 20
 * characters search a probe's answer of the largest size kept, 1 MiB.
 */
const matchedProductPerStep = 256

/** Elements that cost one step when a list is copied, which is a native copy. */
const copiedElementsPerStep = 64

/** Elements that cost one step when a list is made ready for a comprehension, element by element. */
const elementsPerStep = 8

export class BudgetExceeded extends Error {
  override readonly name = "BudgetExceeded"
  constructor() {
    super(`the expression needs more than its budget of ${stepBudget} steps`)
  }
}

export class Meter {
  #left = stepBudget

  reset(): void {
    this.#left = stepBudget
  }

  /** Throws past the budget. Thrown, not returned as a CEL error: `error || true` is true, and this has to end it all. */
  charge(steps: number): void {
    this.#left -= steps
    if (this.#left < 0) throw new BudgetExceeded()
  }

  /** Charges a call of `name` by what it is about to do, before it does it. */
  chargeCall(name: string, target: CelValue | undefined, args: ReadonlyArray<CelValue>): void {
    this.charge(1)
    const extra = callCosts[name]
    if (extra !== undefined) {
      const operands = target === undefined ? args : [target, ...args]
      this.charge(extra(operands, this.#left))
      return
    }
    if (typeof target === "string") this.charge(target.length / charactersPerStep)
    for (const arg of args) if (typeof arg === "string") this.charge(arg.length / charactersPerStep)
  }
}

/** What a call costs beyond one step, for the calls that look into values. `limit` ends counting early. */
type Cost = (operands: ReadonlyArray<CelValue>, limit: number) => number

const walkAll: Cost = (operands, limit) => {
  let sum = 0
  for (const operand of operands) {
    sum += sizeOf(operand, limit - sum)
    if (sum > limit) break
  }
  return sum
}

/** For functions that compare each element of one operand with each of another. */
const walkPairs: Cost = (operands, limit) => {
  let product = 1
  for (const operand of operands) product *= 1 + sizeOf(operand, limit)
  return product
}

const walkSquared: Cost = (operands, limit) => walkAll(operands, limit) ** 2

const callCosts: Record<string, Cost> = {
  "_==_": walkAll,
  "_!=_": walkAll,
  "@in": (operands, limit) => (isCelMap(operands[1]) ? 0 : walkAll(operands, limit)),
  "_+_": ([left, right]) => {
    if (isCelList(left) && isCelList(right)) return (left.size + right.size) / copiedElementsPerStep
    return (lengthOf(left) + lengthOf(right)) / charactersPerStep
  },
  // A comprehension copies what it runs over before its first turn.
  "@range": ([range]) => (isCelList(range) || isCelMap(range) ? range.size / elementsPerStep : 0),
  matches: operands =>
    operands.reduce<number>((product, operand) => product * lengthOf(operand), 1) / matchedProductPerStep,
  // Every hit of the needle is replaced, and an empty needle hits between all characters.
  replace: ([text, needle, replacement]) => {
    const hitsMax = lengthOf(text) / Math.max(1, lengthOf(needle)) + 1
    return (lengthOf(text) + hitsMax * lengthOf(replacement)) / charactersPerStep
  },
  split: ([text]) => lengthOf(text) / 4,
  join: ([list, separator], limit) =>
    walkAll([list as CelValue], limit) + (isCelList(list) ? (list.size * lengthOf(separator)) / charactersPerStep : 0),
  format: walkAll,
  slice: walkAll,
  flatten: walkAll,
  reverse: walkAll,
  sort: (operands, limit) => {
    const size = walkAll(operands, limit)
    return size * Math.log2(size + 2)
  },
  distinct: walkSquared,
  "sets.contains": walkPairs,
  "sets.equivalent": (operands, limit) => 2 * walkPairs(operands, limit),
  "sets.intersects": walkPairs,
  "lists.range": ([count]) => (typeof count === "bigint" ? Number(count) : 0),
  "math.greatest": walkAll,
  "math.least": walkAll,
}

function lengthOf(value: CelValue | undefined): number {
  return typeof value === "string" || value instanceof Uint8Array ? value.length : 0
}

/**
 * Steps needed to visit a whole value, counted only until it passes `limit`: an expression can build a small graph of
 * shared lists that unfolds into an astronomically large tree.
 */
function sizeOf(value: CelValue, limit: number): number {
  if (typeof value === "string") return value.length / charactersPerStep
  if (value instanceof Uint8Array) return value.length / charactersPerStep
  if (isCelList(value)) {
    let size = 1
    for (const element of value) {
      size += 1 + sizeOf(element, limit - size)
      if (size > limit) break
    }
    return size
  }
  if (isCelMap(value)) {
    let size = 1
    for (const element of value.values()) {
      size += 1 + sizeOf(element, limit - size)
      if (size > limit) break
    }
    return size
  }
  return 0
}
