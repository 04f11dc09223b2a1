/**
 * What an actor kind is: a value. `decide`, `evolve` and `react` are pure: no Effect, no clock, no randomness; the time
 * and fresh ids are handed in. `facts` is the only effectful part: one set-based read per batch, in the batch's own
 * transaction. Everything an actor wants done is an effect value, carried out by the runtime in the same commit.
 */
import type { ActivityName } from "@sluice/protocol/activities"
import type { ActorKindName, Outgoing } from "@sluice/protocol/envelope"
import type { Happened } from "@sluice/protocol/event"
import type { Effect } from "effect"
import type { StorageError, Tx } from "./ports.ts"

/** What the actor is handed: a message of its inbox, or one of its own timers. */
export type Input<Message> =
  | { readonly _tag: "Message"; readonly id: string; readonly message: Message }
  | { readonly _tag: "Timer"; readonly name: string; readonly payload: unknown }

export interface Moment {
  readonly workspaceId: string
  readonly key: string
  /** Epoch milliseconds: the batch's database time, never below the partition's last. */
  readonly now: number
  /** A fresh UUIDv7, derived from the cause (kind, partition, source number, counter): the same again on a repeated batch. */
  readonly id: () => string
}

export type Decision<Event> =
  | { readonly _tag: "Events"; readonly events: ReadonlyArray<Event> }
  /** Changes nothing, is journalled, and is what a waiting caller is told. */
  | { readonly _tag: "Refused"; readonly reason: string }

export const events = <Event>(...list: ReadonlyArray<Event>): Decision<Event> => ({ _tag: "Events", events: list })
export const refused = (reason: string): Decision<never> => ({ _tag: "Refused", reason })

export type ActorEffect =
  | ({ readonly _tag: "Send" } & Outgoing)
  | { readonly _tag: "Activity"; readonly name: ActivityName; readonly key: string; readonly payload: unknown }
  /** One timer per name: setting it again moves it. */
  | { readonly _tag: "SetTimer"; readonly name: string; readonly dueAt: number; readonly payload?: unknown }
  | { readonly _tag: "CancelTimer"; readonly name: string }
  /** A public event of the workspace; `at` is the batch's time. */
  | { readonly _tag: "Publish"; readonly event: Omit<Happened, "at"> }
  /** A row for one of the kind's `projections`. */
  | { readonly _tag: "Project"; readonly projection: string; readonly row: unknown }
  /**
   * Takes a guard row in this commit. "update" makes concurrent holders conflict (a rollout's cap); "share" conflicts
   * only with an update (a workspace's stop).
   */
  | { readonly _tag: "Guard"; readonly name: string; readonly mode: "update" | "share" }

export const send = (to: Outgoing): ActorEffect => ({ _tag: "Send", ...to })
export const project = (projection: string, row: unknown): ActorEffect => ({ _tag: "Project", projection, row })
export const setTimer = (name: string, dueAt: number, payload: unknown = {}): ActorEffect => ({
  _tag: "SetTimer",
  name,
  dueAt,
  payload,
})
export const cancelTimer = (name: string): ActorEffect => ({ _tag: "CancelTimer", name })
export const publish = (event: Omit<Happened, "at">): ActorEffect => ({ _tag: "Publish", event })
export const activity = (name: ActivityName, key: string, payload: unknown): ActorEffect => ({
  _tag: "Activity",
  name,
  key,
  payload,
})

/** What a batch is about to decide, for the fact query. States are those at the start of the batch. */
export interface FactRequest<State, Message> {
  readonly key: string
  readonly workspaceId: string
  readonly state: State | undefined
  readonly inputs: ReadonlyArray<Input<Message>>
}

export interface ActorKind<State, Message extends { readonly type: string }, Facts, Event> {
  readonly kind: ActorKindName
  readonly stateSchemaVersion: number
  /** Lifts a stored state of `schemaVersion`; throws when it cannot. States are plain JSON. */
  readonly readState: (stored: unknown, schemaVersion: number) => State
  /** Only a creating message makes an actor; any other to an unknown key is refused and counted. */
  readonly creates: (message: Message) => boolean
  /** The facts of every key of the batch, in the batch's transaction. A key without an entry gets `undefined`. */
  readonly facts: (
    tx: Tx,
    requests: ReadonlyArray<FactRequest<State, Message>>,
    now: number,
  ) => Effect.Effect<ReadonlyMap<string, Facts>, StorageError>
  readonly decide: (
    state: State | undefined,
    input: Input<Message>,
    facts: Facts | undefined,
    moment: Moment,
  ) => Decision<Event>
  readonly evolve: (state: State | undefined, event: Event, moment: Omit<Moment, "id">) => State
  /** `state` is the state after the event. */
  readonly react: (state: State, event: Event, moment: Moment) => ReadonlyArray<ActorEffect>
  /**
   * Names of guard rows whose holder changes what this key's facts say. When an earlier message of the same batch took
   * one of them ("update"), the batch is cut before this message, which then sees fresh facts.
   */
  readonly guardedBy?: (facts: Facts | undefined) => ReadonlyArray<string>
  /** Level-triggered messages: of several equal ones for a key in one batch only the last is decided. */
  readonly coalesces?: (message: Message) => boolean
  /** Set-based writers, by projection name; rows in the order they were produced. */
  readonly projections: Readonly<
    Record<string, (tx: Tx, rows: ReadonlyArray<any>, now: number) => Effect.Effect<void, StorageError>>
  >
}

/**
 * An actor kind whose state is rows, not a document (the planner, the event log). Its step sees the whole batch and does
 * its work set-based in the batch's transaction; what it sends is attributed to the message that caused it.
 */
export interface SetActorKind<Message extends { readonly type: string }> {
  readonly kind: ActorKindName
  readonly step: (
    tx: Tx,
    batch: ReadonlyArray<SetInput<Message>>,
    now: number,
  ) => Effect.Effect<ReadonlyArray<SetOutcome>, StorageError>
}

export interface SetInput<Message> {
  readonly key: string
  readonly workspaceId: string
  readonly input: Input<Message>
  readonly correlationId: string
  readonly causationId?: string
  readonly id: () => string
}

/** One per input, in order. */
export interface SetOutcome {
  /** What the journal keeps as the events of this input. */
  readonly events: ReadonlyArray<unknown>
  readonly effects: ReadonlyArray<ActorEffect>
  readonly refused?: string
}

export type AnyActorKind =
  | { readonly _tag: "Document"; readonly definition: ActorKind<any, any, any, any> }
  | { readonly _tag: "Set"; readonly definition: SetActorKind<any> }
export type { ActorKindName }
