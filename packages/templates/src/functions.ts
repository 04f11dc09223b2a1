// The functions a template may call, one entry each: how many arguments it takes and what it does. A new function is a new
// entry. The names and meanings are Go's own (`index`) or Sprig's (`default`). A function sees missing values only where
// it says so; elsewhere the evaluator has refused them before the call.
import { isEmpty, kindOf, Missing, read, type Value } from "./value.ts"

export interface TemplateFunction {
  readonly argumentsMin: number
  readonly argumentsMax: number
  /** The two numbers in words, for the message that refuses a call. */
  readonly takes: string
  /** Whether the argument at this position may be missing. */
  readonly mayMiss: (position: number) => boolean
  /** `labels` are the arguments as the template wrote them, for naming a key that is missing. Throws `Error`. */
  readonly call: (args: ReadonlyArray<Value>, labels: ReadonlyArray<string>) => Value
}

const functions: Readonly<Record<string, TemplateFunction>> = {
  /** `index .list 0`, `index .map "my-key" "inner"`. A missing container stays missing, so that `default` can follow. */
  index: {
    argumentsMin: 1,
    argumentsMax: Number.POSITIVE_INFINITY,
    takes: "a map or list and any number of keys",
    mayMiss: position => position === 0,
    call: ([container = null, ...keys], [label = ""]) => {
      let value = container
      let path = label
      for (const key of keys) {
        if (typeof key !== "string" && typeof key !== "number") throw new Error(`a ${kindOf(key)} cannot be a key`)
        path += `[${JSON.stringify(key)}]`
        value = read(value, key, path)
      }
      return value
    },
  },

  /** `.region | default "us"`: the value, or the fallback when the value is empty or missing. */
  default: {
    argumentsMin: 1,
    argumentsMax: 2,
    takes: "a fallback and a value",
    // The fallback too: it only matters when it is what gets printed, and then names its own key.
    mayMiss: () => true,
    call: ([fallback = null, value = new Missing("")]) => (isEmpty(value) ? fallback : value),
  },
}

export function functionNamed(name: string): TemplateFunction | undefined {
  return Object.hasOwn(functions, name) ? functions[name] : undefined
}
