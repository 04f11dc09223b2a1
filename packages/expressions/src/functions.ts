// The extension functions the CEL library does not bring: math, lists and sets, `reverse` of a string, and a
// `replace` in linear time. Names and results are those of the reference engine's extensions. Left out on purpose: `sortBy` (a macro, not a function) and
// everything that needs optional values. What a call costs stands in `meter.ts`.
import {
  type CelFunc,
  type CelList,
  CelScalar,
  type CelValue,
  celEnv,
  celFunc,
  celMethod,
  isCelList,
  listType,
} from "@bufbuild/cel"

const { BOOL, DOUBLE, DYN, INT, STRING, UINT } = CelScalar
const LIST = listType(DYN)

/** Arguments `math.greatest` and `math.least` take; the reference has no limit, a list takes any number. */
const variadicArgumentsMax = 8

const core = celEnv().funcs

function equal(left: CelValue, right: CelValue): boolean {
  return core.find("_==_")?.call(0, undefined, [left, right]) === true
}

function less(left: CelValue, right: CelValue): boolean {
  const answer = core.find("_<_")?.call(0, undefined, [left, right])
  if (typeof answer !== "boolean") throw new Error("the values cannot be put in order")
  return answer
}

/** The element that beats all others, or an error for no elements or for elements that are not numbers. */
function best(name: string, values: ReadonlyArray<CelValue>, beats: (a: CelValue, b: CelValue) => boolean): CelValue {
  const [first, ...rest] = values
  if (first === undefined) throw new Error(`${name} needs at least one number`)
  // Comparing with itself makes a single text or map an error too.
  less(first, 0n)
  return rest.reduce((winner, value) => (beats(value, winner) ? value : winner), first)
}

function extremes(name: string, beats: (a: CelValue, b: CelValue) => boolean): Array<CelFunc> {
  const functions: Array<CelFunc> = [celFunc(name, [LIST], DYN, list => best(name, [...list], beats))]
  for (let count = 1; count <= variadicArgumentsMax; count++) {
    const signature = Array.from({ length: count }, () => DYN)
    functions.push(
      celFunc(name, signature, DYN, (...values: Array<CelValue>) => {
        const only = values.length === 1 ? values[0] : undefined
        return best(name, isCelList(only) ? [...only] : values, beats)
      }),
    )
  }
  return functions
}

function within(list: CelList, value: CelValue): boolean {
  for (const element of list) if (equal(element, value)) return true
  return false
}

function containsAll(list: CelList, wanted: CelList): boolean {
  for (const value of wanted) if (!within(list, value)) return false
  return true
}

function slice(list: CelList, start: bigint, end: bigint): Array<CelValue> {
  if (start < 0n || end < start || end > BigInt(list.size)) {
    throw new Error(`slice(${start}, ${end}) is outside a list of ${list.size}`)
  }
  return [...list].slice(Number(start), Number(end))
}

function flatten(list: CelList, depth: bigint): Array<CelValue> {
  if (depth < 0n) throw new Error("flatten needs a depth of at least 0")
  const flat: Array<CelValue> = []
  for (const element of list) {
    if (isCelList(element) && depth > 0n) for (const inner of flatten(element, depth - 1n)) flat.push(inner)
    else flat.push(element)
  }
  return flat
}

function distinct(list: CelList): Array<CelValue> {
  const seen: Array<CelValue> = []
  for (const element of list) if (!seen.some(value => equal(value, element))) seen.push(element)
  return seen
}

function sort(list: CelList): Array<CelValue> {
  return [...list].sort((a, b) => (less(a, b) ? -1 : less(b, a) ? 1 : 0))
}

/** Replaces the first `hitsMax` hits of `needle`, all of them when `hitsMax` is negative. */
function replace(text: string, needle: string, replacement: string, hitsMax: bigint): string {
  if (hitsMax < 0n) return text.replaceAll(needle, () => replacement)
  let left = hitsMax
  return text.replaceAll(needle, hit => (left-- > 0n ? replacement : hit))
}

function absolute(value: bigint): bigint {
  return value < 0n ? -value : value
}

function shift(bits: bigint): bigint {
  if (bits < 0n) throw new Error("a shift needs at least 0 bits")
  return bits > 63n ? 64n : bits
}

export const extensions: ReadonlyArray<CelFunc> = [
  ...extremes("math.greatest", (a, b) => less(b, a)),
  ...extremes("math.least", less),
  celFunc("math.ceil", [DOUBLE], DOUBLE, Math.ceil),
  celFunc("math.floor", [DOUBLE], DOUBLE, Math.floor),
  celFunc("math.trunc", [DOUBLE], DOUBLE, Math.trunc),
  // Halves go away from zero; JavaScript's Math.round sends them up.
  celFunc("math.round", [DOUBLE], DOUBLE, x => Math.sign(x) * Math.round(Math.abs(x))),
  celFunc("math.sqrt", [DOUBLE], DOUBLE, Math.sqrt),
  celFunc("math.abs", [DOUBLE], DOUBLE, Math.abs),
  celFunc("math.abs", [INT], INT, absolute),
  celFunc("math.abs", [UINT], UINT, x => x),
  celFunc("math.sign", [DOUBLE], DOUBLE, Math.sign),
  celFunc("math.sign", [INT], INT, x => (x < 0n ? -1n : x > 0n ? 1n : 0n)),
  celFunc("math.isNaN", [DOUBLE], BOOL, Number.isNaN),
  celFunc("math.isInf", [DOUBLE], BOOL, x => Math.abs(x) === Number.POSITIVE_INFINITY),
  celFunc("math.isFinite", [DOUBLE], BOOL, Number.isFinite),
  celFunc("math.bitAnd", [INT, INT], INT, (a, b) => a & b),
  celFunc("math.bitOr", [INT, INT], INT, (a, b) => a | b),
  celFunc("math.bitXor", [INT, INT], INT, (a, b) => a ^ b),
  celFunc("math.bitNot", [INT], INT, a => ~a),
  celFunc("math.bitShiftLeft", [INT, INT], INT, (a, bits) => BigInt.asIntN(64, a << shift(bits))),
  celFunc("math.bitShiftRight", [INT, INT], INT, (a, bits) => BigInt.asIntN(64, BigInt.asUintN(64, a) >> shift(bits))),
  celFunc("lists.range", [INT], LIST, count => Array.from({ length: Math.max(0, Number(count)) }, (_, i) => BigInt(i))),
  celMethod("slice", LIST, [INT, INT], LIST, function (start, end) {
    return slice(this, start, end)
  }),
  celMethod("flatten", LIST, [], LIST, function () {
    return flatten(this, 1n)
  }),
  celMethod("flatten", LIST, [INT], LIST, function (depth) {
    return flatten(this, depth)
  }),
  celMethod("distinct", LIST, [], LIST, function () {
    return distinct(this)
  }),
  celMethod("sort", LIST, [], LIST, function () {
    return sort(this)
  }),
  celMethod("reverse", LIST, [], LIST, function () {
    return [...this].reverse()
  }),
  // In place of the library's own, which copies the whole text once per hit: seconds for a text of some 100 kB.
  celMethod("replace", STRING, [STRING, STRING], STRING, function (needle, replacement) {
    return replace(this, needle, replacement, -1n)
  }),
  celMethod("replace", STRING, [STRING, STRING, INT], STRING, function (needle, replacement, hitsMax) {
    return replace(this, needle, replacement, hitsMax)
  }),
  celMethod("reverse", STRING, [], STRING, function () {
    return [...this].reverse().join("")
  }),
  celFunc("sets.contains", [LIST, LIST], BOOL, containsAll),
  celFunc("sets.equivalent", [LIST, LIST], BOOL, (a, b) => containsAll(a, b) && containsAll(b, a)),
  celFunc("sets.intersects", [LIST, LIST], BOOL, (a, b) => {
    for (const value of a) if (within(b, value)) return true
    return false
  }),
]
