/**
 * Moments at which a fault test may end the process: where a crash hurts most, because one thing is done and the next is not.
 * The runtime only says that it is there; what follows is handed in by `process`, and is nothing unless `CRASH_AT` is set.
 */
import { Context, Effect } from "effect"

export const crashPoints = [
  /** Leases are taken, nothing is read yet. */
  "partitions-taken",
  /** In the middle of a batch: decided, not written. */
  "batch-decided",
  /** Written, and the COMMIT not sent. */
  "batch-written",
  /** Committed, and nothing published. */
  "batch-committed",
  /** Messages are published, work for activities is not. */
  "outbox-published",
  /** The broker has the work, and we have not noted that. */
  "work-stored",
  /** A door's rows are committed, nobody was told, the caller has no answer. */
  "door-committed",
  /** Work is in hands, and nothing was called. */
  "work-taken",
  /** Between agent call and report: the agent was called, the answer is in memory only. */
  "work-done",
  /** The result is committed, the work is not acknowledged. */
  "result-committed",
] as const
export type CrashPoint = (typeof crashPoints)[number]

export const CrashAt = Context.Reference<(point: CrashPoint) => void>("@sluice/actor/CrashAt", {
  defaultValue: () => () => {},
})

export const reached = (point: CrashPoint): Effect.Effect<void> => Effect.map(CrashAt, act => act(point))
