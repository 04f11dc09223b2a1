/**
 * What a target does about a message or a timer. Pure: the transition table names the handler, the handler writes events
 * into a script, and what people should know of it is recorded last.
 */
import { type Decision, events, type Input, type Moment, refused } from "@sluice/actor/definition"
import type { TargetEvent } from "./events.ts"
import { Script } from "./script.ts"
import { initialState, type TargetState } from "./state.ts"
import type { TargetFacts } from "./target-facts.ts"
import { evaluateTimer, patienceTimer, secondLookTimer } from "./timers.ts"
import { type Cell, type InputName, type TargetMessage, transitions } from "./transitions.ts"
import { recordWhy } from "./why.ts"

const absent: TargetFacts = { _tag: "Absent" }

export const decide = (
  before: TargetState | undefined,
  input: Input<TargetMessage>,
  loaded: TargetFacts | undefined,
  moment: Moment,
): Decision<TargetEvent> => {
  const facts = loaded ?? absent
  const name = nameOf(input)
  if (name === undefined) return refused(`no timer is called "${input._tag === "Timer" ? input.name : ""}"`)
  if (before === undefined && facts._tag === "Absent") return refused("there is no such release target")
  const script = open(before, moment)
  const cell = transitions[script.state.phase._tag][name] as Cell
  if (cell._tag === "Refused") return refused(cell.why)
  if (cell._tag === "Ignored") return events()
  const body = input._tag === "Message" ? input.message.body : undefined
  const refusal = cell.by(script, body as never, facts)
  if (refusal !== undefined) return refused(refusal)
  recordWhy(script)
  return events(...script.events)
}

/** A target's first message makes it. */
const open = (before: TargetState | undefined, moment: Moment): Script => {
  if (before !== undefined) return new Script(before, moment)
  const script = new Script(initialState, moment)
  script.add({ _tag: "Joined" })
  return script
}

export const nameOf = (input: Input<TargetMessage>): InputName | undefined => {
  if (input._tag === "Message") return input.message.type === "Reconcile" ? "Look" : input.message.type
  if (input.name === evaluateTimer || input.name === secondLookTimer) return "Look"
  return input.name === patienceTimer ? "Patience" : undefined
}
