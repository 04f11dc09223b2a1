/**
 * What an activity is: a value. `run` does one piece of outside work and answers with one of four outcomes; what each
 * outcome means for the queue and for the asking actor stands beside it in `outcomes`, so an activity that forgets one
 * does not compile. Work is at-least-once: `run` must be idempotent by `work.key`.
 */
import type { ActivityName } from "@sluice/protocol/activities"
import type { Outgoing } from "@sluice/protocol/envelope"
import type { Effect, Schedule, Schema } from "effect"

/** The closed union. Payload types are the activity's own. */
export type Outcome<Done, Running, Failed> =
  /** It happened. */
  | { readonly _tag: "Done"; readonly result: Done }
  /** Started, not over: the actor's timer asks again; an activity never waits inside the queue. */
  | { readonly _tag: "StillRunning"; readonly result: Running }
  /** It may work later: redelivered by the schedule, or after `retryAfter` (ms) where the vendor said so. */
  | { readonly _tag: "Transient"; readonly reason: string; readonly retryAfter?: number }
  /** It will never work. */
  | { readonly _tag: "Permanent"; readonly result: Failed }

export interface WorkItem<Payload> {
  readonly id: string
  readonly key: string
  readonly workspaceId: string
  readonly correlationId: string
  /** 1 for the first delivery. */
  readonly delivery: number
  readonly payload: Payload
}

/** Messages that go through the door (numbered, committed) before the work is acknowledged. */
export type Report<Payload, Result> = (work: WorkItem<Payload>, result: Result) => ReadonlyArray<Outgoing>

export interface ActivityKind<Payload, Done, Running, Failed, R> {
  readonly name: ActivityName
  readonly payload: Schema.Codec<Payload, any>
  /** Calls in flight per process. */
  readonly concurrency: number
  /** Longest one run may take, milliseconds; beyond it the run is interrupted and counts as Transient. */
  readonly timeLimit: number
  readonly run: (work: WorkItem<Payload>) => Effect.Effect<Outcome<Done, Running, Failed>, never, R>
  readonly outcomes: {
    readonly Done: Report<Payload, Done>
    readonly StillRunning: Report<Payload, Running>
    /** How long until the next delivery: the schedule's delay for the n-th delivery, and what happens when it is used up. */
    readonly Transient: {
      readonly schedule: Schedule.Schedule<unknown>
      readonly exhausted: Report<Payload, string>
    }
    readonly Permanent: Report<Payload, Failed>
  }
}

/** Checks the types of a definition and gives it back. */
export const defineActivity = <Payload, Done, Running, Failed, R>(
  kind: ActivityKind<Payload, Done, Running, Failed, R>,
): ActivityKind<Payload, Done, Running, Failed, R> => kind
