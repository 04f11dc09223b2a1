/** A small actor for tests of the runtime, on the target kind's inbox: it counts, forwards, sets timers, and can fail. */
import { Effect } from "effect"
import { type ActorKind, events, refused, send, setTimer } from "../src/definition.ts"

export interface Counted {
  readonly count: number
  readonly heard: ReadonlyArray<string>
}

type Message = { readonly type: string; readonly body: { readonly reason: string } }
type Event = { readonly _tag: "Heard"; readonly reason: string }

/**
 * The reason says what to do: `forward:<key>:<rest>` sends `<rest>` on to another key, `timer:<ms>` sets a timer,
 * `throw` throws, `refuse` refuses; anything else is only counted.
 */
export const countingActor: ActorKind<Counted, Message, undefined, Event> = {
  kind: "target",
  stateSchemaVersion: 1,
  readState: stored => stored as Counted,
  creates: message => message.type === "Reconcile",
  facts: () => Effect.succeed(new Map()),
  decide: (_, input) => {
    if (input._tag === "Timer") return events<Event>({ _tag: "Heard", reason: `rang:${input.name}` })
    const { reason } = input.message.body
    if (reason === "throw") throw new Error("this message cannot be handled")
    if (reason === "refuse") return refused("not now")
    return events<Event>({ _tag: "Heard", reason })
  },
  evolve: (state, event) => ({
    count: (state?.count ?? 0) + 1,
    heard: [...(state?.heard ?? []), event.reason].slice(-50),
  }),
  react: (_, event, moment) => {
    const [what, key, ...rest] = event.reason.split(":")
    if (what === "forward") {
      return [
        send({
          kind: "target",
          workspaceId: moment.workspaceId,
          key: key ?? "",
          type: "Reconcile",
          body: { reason: rest.join(":") },
        }),
      ]
    }
    if (what === "timer") return [setTimer("bell", moment.now + Number(key))]
    return []
  },
  projections: {},
}
