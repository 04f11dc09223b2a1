/**
 * How much a partition takes into one batch, and what follows from a failure. Whose fault decides: the batch is repeated,
 * halved until the message at fault stands alone and is put aside, or put off while store or broker are away. Pure.
 */
import type { BatchInput } from "./input.ts"
import type { StorageError } from "./ports.ts"

/** One commit stays short enough for the next workspace to get in between. */
export const batchMessagesMax = 500
/** A batch that took longer is followed by a smaller one: statements and idle sessions are cut off after a few seconds. */
const batchMillisecondsMax = 1_000
/** After a failure of store or broker; doubled up to the maximum, for as long as it lasts. */
const retryFirst = 50
const retryMax = 1_000
/** Two batches that got in each other's way: the first repeat comes at once, later ones step back. */
const conflictMax = 100
/** Then the code is at fault, not the messages: the partition stops and its health check says so. */
export const deadLettersPerMinuteMax = 100

/** The step itself threw: some message of the batch is at fault. */
export class StepFailed {
  readonly _tag = "StepFailed"
  readonly message: string
  constructor(message: string) {
    this.message = message
  }
}

export type Next =
  | { readonly _tag: "Again"; readonly afterMilliseconds: number }
  /** Fails alone, and not for the first time. */
  | { readonly _tag: "PutAside"; readonly input: BatchInput }
  /** Nobody's fault among the messages. */
  | { readonly _tag: "PutOff"; readonly afterMilliseconds: number }

export class Pace {
  #limit = batchMessagesMax
  #delay = retryFirst
  #conflicts = 0
  #suspect: string | undefined
  #dead: ReadonlyArray<number> = []

  /** Messages and timers of the next batch at most. */
  get limit(): number {
    return this.#limit
  }

  /** Of these, timers: overdue ones must not keep messages out. */
  get timers(): number {
    return Math.max(1, Math.floor(this.#limit * 0.4))
  }

  succeeded(inputs: number, milliseconds: number): void {
    this.#delay = retryFirst
    this.#conflicts = 0
    this.#limit =
      milliseconds > batchMillisecondsMax
        ? Math.max(1, Math.floor(inputs / 2))
        : Math.min(batchMessagesMax, this.#limit * 2)
  }

  /** `attempted`: what the failed batch was about to handle; empty when it did not come so far. */
  failed(error: StorageError | StepFailed, attempted: ReadonlyArray<BatchInput>): Next {
    const [first, second] = attempted
    const half = Math.max(1, Math.floor(Math.min(this.#limit, attempted.length) / 2))
    if (error._tag === "StorageError" && error.fault === "conflict") {
      this.#conflicts++
      if (this.#conflicts > 2 && second !== undefined) this.#limit = half // a shorter batch is less in the way
      return {
        _tag: "Again",
        afterMilliseconds: this.#conflicts === 1 ? 0 : Math.min(conflictMax, 2 ** this.#conflicts),
      }
    }
    if (first === undefined || (error._tag === "StorageError" && error.fault === "unavailable")) {
      // Also what takes too long looks like this, and would for ever at the same size.
      if (second !== undefined) this.#limit = half
      const afterMilliseconds = this.#delay
      this.#delay = Math.min(retryMax, this.#delay * 2)
      return { _tag: "PutOff", afterMilliseconds }
    }
    this.#limit = half
    if (second !== undefined) return { _tag: "Again", afterMilliseconds: 0 }
    // Once more alone: what broke may have been the moment, and a dead letter stops its actor.
    if (this.#suspect !== first.id) {
      this.#suspect = first.id
      return { _tag: "Again", afterMilliseconds: 0 }
    }
    this.#suspect = undefined
    return { _tag: "PutAside", input: first }
  }

  /** `count` more dead letters at `now` (ms); answers whether these are too many. */
  dead(count: number, now: number): boolean {
    const minuteAgo = now - 60_000
    this.#dead = [...this.#dead, ...Array.from({ length: count }, () => now)].filter(at => at > minuteAgo)
    return this.#dead.length > deadLettersPerMinuteMax
  }
}
