/**
 * Whether a call is still worth making, from the job's row as it is now. Work is delivered at least once and may be late:
 * this is what keeps a late hand-over from starting what has been stopped, ended or offered again since (promise P1).
 */
import { isTerminal } from "@sluice/domain/job-status"
import type { CallAgent } from "@sluice/protocol/activities"
import type { CallRow } from "@sluice/store/job-facts"

export type MayCall =
  | { readonly _tag: "Call" }
  /** Nobody is interested in an answer any more. */
  | { readonly _tag: "Silent" }
  /** The hand-over was not made and will not be made. */
  | { readonly _tag: "NotHandedOver"; readonly message: string }
  /** This delivery hands nothing over, but an earlier one may have. */
  | { readonly _tag: "MayBeHandedOver"; readonly message: string }
  /** Too late to hand over; what became of it is for a probe to find out. */
  | { readonly _tag: "TooLate"; readonly message: string }

export interface Delivered {
  readonly payload: CallAgent
  /** 1 for the first delivery. */
  readonly delivery: number
}

export const mayCall = (work: Delivered, row: CallRow, driver: { readonly saysUnknown: boolean }): MayCall => {
  const { payload, delivery } = work
  if (isTerminal(row.status) || row.attempt !== payload.attempt) return { _tag: "Silent" }
  if (payload.call !== "dispatch") return { _tag: "Call" }
  // Beyond `pending` the agent has been heard of: handing over again would be doing it again.
  if (row.status !== "pending") return { _tag: "Silent" }
  if (row.reason !== null) {
    const message = `not handed over: the job is being stopped (${row.reason})`
    return delivery === 1 ? { _tag: "NotHandedOver", message } : { _tag: "MayBeHandedOver", message }
  }
  const latest = driver.saysUnknown ? payload.deadline : row.deadline
  return row.now < latest ? { _tag: "Call" } : { _tag: "TooLate", message: "too late to hand the job over" }
}
