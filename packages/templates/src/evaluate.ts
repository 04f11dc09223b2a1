// Runs a parsed template over a context and collects its text, within a budget of steps and output. Pure: the same tree,
// context and mode give the same text. Faults are thrown as `RenderFault` with the offset they are about.
import { functionNamed } from "./functions.ts"
import type { Command, Node, Operand, Pipeline } from "./syntax.ts"
import { type Json, Missing, print, RenderFault, read, type Value } from "./value.ts"

/** What happens to a value that is not there and is printed: an error that names its key, or nothing. */
export type MissingMode = "error" | "empty"

/** Steps of one rendering. Without loops a template takes at most one per node; loops will make this the bound. */
export const stepsMax = 100_000

/** Characters one rendering may write. A job's configuration travels in one message, whose bound is below this. */
export const outputLengthMax = 1024 * 1024

export class Budget {
  #steps = stepsMax
  #output = outputLengthMax

  step(at: number): void {
    this.#steps -= 1
    if (this.#steps < 0) throw new RenderFault(at, `rendering takes more than ${stepsMax} steps`)
  }

  write(at: number, text: string): string {
    this.#output -= text.length
    if (this.#output < 0) throw new RenderFault(at, `rendering writes more than ${outputLengthMax} characters`)
    return text
  }
}

export function renderNodes(nodes: ReadonlyArray<Node>, context: Json, missing: MissingMode, budget: Budget): string {
  const run = new Run(context, budget)
  const written: Array<string> = []
  for (const node of nodes) {
    const text = node.kind === "text" ? node.text : output(run, node.pipeline, missing)
    written.push(budget.write(node.at, text))
  }
  return written.join("")
}

function output(run: Run, pipeline: Pipeline, missing: MissingMode): string {
  const value = run.pipeline(pipeline)
  if (value instanceof Missing || value === null) {
    if (missing === "empty") return ""
    throw value === null
      ? new RenderFault(pipeline.at, `${labelOf(pipeline)} is null`, labelOf(pipeline))
      : missingFault(pipeline.at, value)
  }
  return guarded(pipeline.at, () => print(value))
}

function missingFault(at: number, missing: Missing): RenderFault {
  return new RenderFault(at, `missing key ${missing.key}`, missing.key)
}

class Run {
  readonly #context: Json
  readonly #budget: Budget

  constructor(context: Json, budget: Budget) {
    this.#context = context
    this.#budget = budget
  }

  pipeline({ commands }: Pipeline): Value {
    let value: Value | undefined
    let label = ""
    for (const command of commands) {
      value = this.#command(command, value, label)
      label = command.kind === "value" ? labelOfOperand(command.operand) : `(${command.name} …)`
    }
    return value as Value
  }

  #command(command: Command, piped: Value | undefined, pipedLabel: string): Value {
    this.#budget.step(command.at)
    if (command.kind === "value") return this.#operand(command.operand)
    const args = command.args.map(arg => this.#operand(arg))
    const labels = command.args.map(labelOfOperand)
    if (piped !== undefined) {
      args.push(piped)
      labels.push(pipedLabel)
    }
    const called = functionNamed(command.name)
    if (called === undefined) throw new RenderFault(command.at, `the function ${command.name} is not supported yet`)
    for (const [position, arg] of args.entries()) {
      if (arg instanceof Missing && !called.mayMiss(position)) throw missingFault(command.at, arg)
    }
    return guarded(command.at, () => called.call(args, labels))
  }

  #operand(operand: Operand): Value {
    this.#budget.step(operand.at)
    if (operand.kind === "literal") return operand.value
    const start = operand.kind === "path" ? this.#context : this.pipeline(operand.pipeline)
    let value: Value = start
    let path = operand.kind === "path" ? "" : labelOf(operand.pipeline)
    for (const field of operand.fields) {
      path += `.${field}`
      const container = value
      const key = path
      value = guarded(operand.at, () => read(container, field, key))
    }
    return value
  }
}

/** Gives what `value.ts` and the functions throw the place it happened at. */
function guarded<A>(at: number, run: () => A): A {
  try {
    return run()
  } catch (error) {
    if (error instanceof RenderFault) throw error
    throw new RenderFault(at, error instanceof Error ? error.message : String(error))
  }
}

/** The value as the template wrote it, shortened where it is long. */
function labelOf({ commands }: Pipeline): string {
  const last = commands.at(-1)
  if (last === undefined) return ""
  return last.kind === "value" ? labelOfOperand(last.operand) : `(${last.name} …)`
}

function labelOfOperand(operand: Operand): string {
  switch (operand.kind) {
    case "literal":
      return JSON.stringify(operand.value)
    case "path":
      return `.${operand.fields.join(".")}`
    case "group":
      return [labelOf(operand.pipeline), ...operand.fields].join(".")
  }
}
