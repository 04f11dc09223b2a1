// The harness of the official CEL conformance suite: which of its cases concern us, how one case is run on our engine
// (guards, meter, regular expressions and all), and when its result counts as the expected one. It goes past `compile`,
// because the suite brings its own variables.
import {
  type CelInput,
  type CelValue,
  celUint,
  isCelError,
  isCelList,
  isCelMap,
  isCelType,
  isCelUint,
  parse,
  plan,
} from "@bufbuild/cel"
import type { Value } from "@bufbuild/cel-spec/cel/expr/value_pb.js"
import { getTestRegistry } from "@bufbuild/cel-spec/testdata/registry.js"
import {
  getConformanceSuite,
  type IncrementalTest,
  type IncrementalTestSuite,
} from "@bufbuild/cel-spec/testdata/tests.js"
import { equals } from "@bufbuild/protobuf"
import { isReflectMessage } from "@bufbuild/protobuf/reflect"
import { anyUnpack } from "@bufbuild/protobuf/wkt"
import { engines } from "../src/engine.ts"
import { guard } from "../src/syntax.ts"

const sections = new Set([
  "basic",
  "comparisons",
  "conversions",
  "fields",
  "fp_math",
  "integer_math",
  "lists",
  "logic",
  "macros",
  "parse",
  "string",
  "string_ext",
  "timestamps",
])

/** Cases about protobuf messages and about type checking are not ours: no selector can hold either. */
const aboutMessages = /TestAllTypes|google\.protobuf\.(?!Timestamp|Duration)|NestedEnum|GlobalEnum/

export interface Case {
  readonly path: string
  readonly test: IncrementalTest
}

export function conformanceCases(): ReadonlyArray<Case> {
  const cases: Array<Case> = []
  const walk = (suite: IncrementalTestSuite, path: string) => {
    for (const test of suite.tests) {
      const { checkOnly, container, expr } = test.original
      if (!checkOnly && container === "" && !aboutMessages.test(expr))
        cases.push({ path: `${path}/${test.name}`, test })
    }
    for (const child of suite.suites) walk(child, `${path}/${child.name}`)
  }
  for (const suite of getConformanceSuite().suites) if (sections.has(suite.name)) walk(suite, suite.name)
  return cases
}

export function passes({ test }: Case): boolean {
  const { bindings, expr, resultMatcher } = test.original
  const result = run(expr, bindings)
  switch (resultMatcher.case) {
    case "value":
      return result !== undefined && same(result, resultMatcher.value)
    case "evalError":
      return result === undefined
    case undefined:
      return result === true
    default:
      throw new Error(`no case of ours expects ${resultMatcher.case}`)
  }
}

/** The value, or undefined for an error of any kind. */
function run(expr: string, bindings: IncrementalTest["original"]["bindings"]): CelValue | undefined {
  const { env, meter } = engines.extended
  const variables: Record<string, CelInput> = Object.create(null)
  for (const [name, bound] of Object.entries(bindings)) {
    if (bound.kind.case !== "value") throw new Error(`${name} is bound to an error`)
    variables[name] = inputOf(bound.kind.value)
  }
  meter.reset()
  try {
    const parsed = parse(expr)
    if (parsed.expr !== undefined) guard(parsed.expr, [])
    const result = plan(env, parsed)(variables)
    return isCelError(result) ? undefined : result
  } catch {
    return undefined
  }
}

function inputOf(value: Value): CelInput {
  const { kind } = value
  switch (kind.case) {
    case "nullValue":
      return null
    case "uint64Value":
      return celUint(kind.value)
    case "int64Value":
    case "doubleValue":
    case "boolValue":
    case "stringValue":
    case "bytesValue":
      return kind.value
    case "listValue":
      return kind.value.values.map(inputOf)
    case "mapValue":
      return new Map(
        kind.value.entries.map(({ key, value: held }) => {
          if (key === undefined || held === undefined) throw new Error("a map entry without key or value")
          return [inputOf(key) as string, inputOf(held)]
        }),
      )
    case "objectValue": {
      const message = anyUnpack(kind.value, getTestRegistry())
      if (message === undefined) throw new Error(`cannot unpack ${kind.value.typeUrl}`)
      return message
    }
    default:
      throw new Error(`cannot bind a ${kind.case}`)
  }
}

/** Same type and same value: `1` is not `1.0` here, and NaN is NaN. */
function same(actual: CelValue, expected: Value): boolean {
  const { kind } = expected
  switch (kind.case) {
    case "nullValue":
      return actual === null
    case "boolValue":
    case "stringValue":
    case "int64Value":
      return actual === kind.value
    case "uint64Value":
      return isCelUint(actual) && actual.value === kind.value
    case "doubleValue":
      return typeof actual === "number" && (actual === kind.value || (Number.isNaN(actual) && Number.isNaN(kind.value)))
    case "bytesValue":
      return actual instanceof Uint8Array && Buffer.compare(actual, kind.value) === 0
    case "typeValue":
      return isCelType(actual) && actual.name === kind.value
    case "listValue": {
      if (!isCelList(actual)) return false
      const elements = [...actual]
      const { values } = kind.value
      return elements.length === values.length && values.every((value, i) => same(elements[i] as CelValue, value))
    }
    case "mapValue": {
      if (!isCelMap(actual) || actual.size !== kind.value.entries.length) return false
      return kind.value.entries.every(({ key, value }) =>
        [...actual].some(
          ([k, v]) => key !== undefined && value !== undefined && same(k as CelValue, key) && same(v, value),
        ),
      )
    }
    case "objectValue": {
      if (!isReflectMessage(actual)) return false
      const message = anyUnpack(kind.value, getTestRegistry())
      return (
        message !== undefined &&
        message.$typeName === actual.desc.typeName &&
        equals(actual.desc, actual.message, message)
      )
    }
    default:
      return false
  }
}
