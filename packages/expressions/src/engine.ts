// The CEL library, set up the way every expression here runs: with a meter in front of every call, a regular-expression
// engine that runs in linear time and remembers its patterns, and list concatenation that copies. One engine per
// function set; evaluation is synchronous, so one meter per engine is enough. Nothing outside this package sees it.
import {
  type CelEnv,
  type CelFunc,
  type CelList,
  CelScalar,
  type CelValue,
  celEnv,
  celFunc,
  celList,
  isCelList,
  isCelMap,
  isCelType,
  isCelUint,
  listType,
} from "@bufbuild/cel"
import { strings } from "@bufbuild/cel/ext"
import { RE2JS } from "@bufbuild/re2"
import type { FunctionSet } from "./environment.ts"
import { extensions } from "./functions.ts"
import { Lru } from "./lru.ts"
import { Meter } from "./meter.ts"

export interface Engine {
  readonly env: CelEnv
  readonly meter: Meter
}

/** Compiled regular expressions kept. Patterns mostly stand in expressions, so this follows how many of those are hot. */
const patternsMax = 500

const patterns = new Lru<string, RE2JS>(patternsMax)

/** Throws an error that names the fault when `pattern` is not an RE2 regular expression. */
export function compilePattern(pattern: string): RE2JS {
  return patterns.getOrMake(pattern, () => RE2JS.compile(pattern))
}

const { DYN } = CelScalar
const LIST = listType(DYN)

/** Calls that `syntax.ts` writes into parsed expressions. Nobody can type these names: `@` is not CEL. */
export const guards = {
  /** One turn of a comprehension; returns what it is given. */
  step: "@step",
  /** What a comprehension runs over; returns what it is given. */
  range: "@range",
  /** What a field is read from: reading a field of a text or of null is an error, not a missing key. */
  fields: "@fields",
  /** What an index is applied to: as `fields`, and lists. */
  items: "@items",
} as const

function refuseScalar(value: CelValue, listsToo: boolean): CelValue {
  if (isCelMap(value) || (listsToo && isCelList(value))) return value
  if (value === null) throw new Error("null has no fields")
  if (typeof value !== "object") throw new Error(`a ${celTypeWord(value)} has no fields`)
  if (isCelList(value)) throw new Error("a list has no fields")
  if (isCelUint(value) || isCelType(value) || value instanceof Uint8Array) throw new Error("the value has no fields")
  return value
}

function celTypeWord(value: string | number | bigint | boolean): string {
  return { string: "string", number: "number", bigint: "number", boolean: "bool" }[typeof value as "string"]
}

const ours: ReadonlyArray<CelFunc> = [
  celFunc(guards.step, [DYN], DYN, value => value),
  celFunc(guards.range, [DYN], DYN, value => value),
  celFunc(guards.fields, [DYN], DYN, value => refuseScalar(value, false)),
  celFunc(guards.items, [DYN], DYN, value => refuseScalar(value, true)),
  celFunc("_+_", [LIST, LIST], LIST, concatenate),
]

/** The arrays behind lists made by `concatenate`, so that adding to one again is a native copy. */
const elementsOf = new WeakMap<CelList, ReadonlyArray<CelValue>>()

/**
 * The library's own concatenation keeps a chain of halves, which overflows the stack once a `map` over some thousand
 * elements (one concatenation per element) is read back.
 */
function concatenate(left: CelList, right: CelList): CelList {
  const elements = [...(elementsOf.get(left) ?? left), ...(elementsOf.get(right) ?? right)]
  const list = celList(elements)
  elementsOf.set(list, elements)
  return list
}

function makeEngine(functions: ReadonlyArray<CelFunc>): Engine {
  const meter = new Meter()
  const env = celEnv({
    funcs: [...functions, ...ours],
    re2: { compile: compilePattern },
  })
  return { env: withMeter(env, meter), meter }
}

type Resolver = CelEnv["funcs"]
type Group = NonNullable<ReturnType<Resolver["find"]>>

/** The same environment, whose functions charge the meter first. A charge past the budget throws out of the call. */
function withMeter(env: CelEnv, meter: Meter): CelEnv {
  const metered = new Map<string, Group>()
  const find = (name: string): Group | undefined => {
    const known = metered.get(name)
    if (known !== undefined) return known
    const group = env.funcs.find(name)
    if (group === undefined) return undefined
    const call: Group["call"] = (id, target, args) => {
      meter.chargeCall(name, target, args)
      return group.call(id, target, args)
    }
    const wrapped: Group = Object.create(group, { call: { value: call } })
    metered.set(name, wrapped)
    return wrapped
  }
  const funcs: Resolver = Object.create(env.funcs, { find: { value: find } })
  return Object.create(env, { funcs: { value: funcs } })
}

export const engines: Readonly<Record<FunctionSet, Engine>> = {
  core: makeEngine([]),
  extended: makeEngine([...strings, ...extensions]),
}
