/**
 * The events of one decision while it is being made: each is evolved at once, so that the next step decides on the state
 * as it will be. Holds what was answered on the way; lives no longer than one call of `decide`.
 */
import type { Moment } from "@sluice/actor/definition"
import type { Answer } from "@sluice/rules/answer"
import type { TargetEvent } from "./events.ts"
import { evolve } from "./evolve.ts"
import type { TargetState } from "./state.ts"

export class Script {
  state: TargetState
  readonly events: Array<TargetEvent> = []
  readonly moment: Moment
  /** What a look came to. */
  looked: { readonly answer: Answer; readonly waitsOn: ReadonlyArray<string> } | undefined

  constructor(state: TargetState, moment: Moment) {
    this.state = state
    this.moment = moment
  }

  add(event: TargetEvent): void {
    this.events.push(event)
    this.state = evolve(this.state, event, this.moment)
  }
}
