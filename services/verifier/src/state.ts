/**
 * What a verification remembers: a union of phases, and for each metric of a running one a union again. Plain JSON, as
 * it is stored. A verification that is over keeps a tombstone, because answers of its probes may still arrive.
 */
import type { JsonObject } from "@sluice/domain/json"
import type { MetricSpec } from "@sluice/domain/verification"
import type { Counts } from "./counting.ts"

/** Raised whenever a stored state changes shape; `readState` lifts the older ones. */
export const stateSchemaVersion = 1

export interface Running {
  readonly _tag: "Running"
  readonly targetKey: string
  readonly jobSetId: string
  readonly metrics: ReadonlyArray<MetricSpec>
  readonly context: JsonObject
  /** One per metric, by index. */
  readonly progress: ReadonlyArray<MetricProgress>
  /** Measured time of the earliest failed measurement, epoch milliseconds. */
  readonly firstFailedAt?: number
}

export type MetricProgress =
  /** The next probe is due. */
  | { readonly _tag: "Waiting"; readonly round: number; readonly dueAt: number; readonly counts: Counts }
  /** A probe is out; `round` is the fence its answer has to carry. */
  | { readonly _tag: "Asked"; readonly round: number; readonly askedAt: number; readonly counts: Counts }
  | { readonly _tag: "Passed"; readonly counts: Counts }
  | { readonly _tag: "Failed"; readonly counts: Counts; readonly message: string }

export interface Concluded {
  readonly _tag: "Concluded"
  readonly status: "passed" | "failed" | "abandoned"
  readonly at: number
}

export type VerificationState = Running | Concluded

/** Throws when the stored value is none of ours: the message is then not to blame, the data is. */
export const readState = (stored: unknown, schemaVersion: number): VerificationState => {
  const tag = (stored as { readonly _tag?: unknown } | null)?._tag
  if (schemaVersion !== stateSchemaVersion || (tag !== "Running" && tag !== "Concluded")) {
    throw new Error(`no verification state of schema version ${schemaVersion} is known with the tag ${String(tag)}`)
  }
  return stored as VerificationState
}
