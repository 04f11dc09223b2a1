/** message → schema → who sends it → who reads it. The test of architecture compares this with topology and docs. */
import type { ActorKindName } from "./envelope.ts"
import { eventMessages } from "./event.ts"
import { jobMessages } from "./job.ts"
import { plannerMessages } from "./planner.ts"
import { targetMessages } from "./target.ts"
import { verificationMessages } from "./verification.ts"

export const messages = {
  planner: plannerMessages,
  target: targetMessages,
  job: jobMessages,
  verification: verificationMessages,
  event: eventMessages,
} as const satisfies Record<ActorKindName, object>

export type MessagesOf<K extends ActorKindName> = (typeof messages)[K]
/** A decoded message of an actor kind: `{ type: "Reconcile", body: { … } }`. */
export type MessageOf<K extends ActorKindName> = {
  [T in keyof MessagesOf<K> & string]: {
    readonly type: T
    readonly body: MessagesOf<K>[T] extends { readonly Type: infer B } ? B : never
  }
}[keyof MessagesOf<K> & string]

/** The service that owns each actor kind, and who may send to it. */
export const ownership = {
  planner: { service: "planner", senders: ["gateway", "planner"] },
  target: { service: "targets", senders: ["gateway", "planner", "policy", "dispatcher", "verifier", "targets"] },
  job: { service: "dispatcher", senders: ["targets", "gateway", "agent-bridges"] },
  verification: { service: "verifier", senders: ["targets", "verifier"] },
  event: { service: "gateway", senders: ["gateway", "planner", "targets", "dispatcher", "verifier"] },
} as const satisfies Record<ActorKindName, { service: string; senders: ReadonlyArray<string> }>
