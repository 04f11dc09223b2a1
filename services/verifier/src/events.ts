/** What happened to a verification, as the journal keeps it: past tense, everything `evolve` and `react` need inside. */
import type { JsonObject } from "@sluice/domain/json"
import type { MeasurementStatus, MetricSpec } from "@sluice/domain/verification"
import type { MetricProgress } from "./state.ts"

export interface Measurement {
  readonly status: MeasurementStatus
  readonly message?: string
  readonly data?: JsonObject
  /** Epoch milliseconds, never before the probe was asked for and never after its answer arrived. */
  readonly measuredAt: number
}

export type VerificationEvent =
  | {
      readonly _tag: "Started"
      readonly targetKey: string
      readonly jobSetId: string
      readonly jobIds: ReadonlyArray<string>
      readonly releaseId: string
      readonly metrics: ReadonlyArray<MetricSpec>
      readonly context: JsonObject
      readonly progress: ReadonlyArray<MetricProgress>
    }
  /** Also when the answer to an earlier asking is overdue: same round, same fence. */
  | { readonly _tag: "ProbeAsked"; readonly metric: number; readonly round: number }
  | {
      readonly _tag: "Measured"
      readonly metric: number
      readonly round: number
      readonly measurement: Measurement
      readonly progress: MetricProgress
    }
  | { readonly _tag: "MetricExpired"; readonly metric: number; readonly progress: MetricProgress }
  | {
      readonly _tag: "Concluded"
      readonly status: "passed" | "failed"
      readonly message: string
      readonly firstFailedAt?: number
      readonly targetKey: string
      readonly metricCount: number
    }
  | { readonly _tag: "Abandoned"; readonly reason: string; readonly targetKey: string; readonly metricCount: number }
