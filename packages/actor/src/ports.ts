/**
 * What the runtime needs from a store and a bus, and no more: narrow enough that a simulator can stand in. The real ones
 * live in `store` and `bus`.
 */
import { Context, type Effect, Schema, type Scope } from "effect"

/**
 * Why a statement failed, by whose fault: `message` = this input can never be written (SQLSTATE 22, 23, 54);
 * `conflict` = repeat the transaction (40001, 40P01); `unavailable` = anything else, retried as long as it lasts.
 */
export class StorageError extends Schema.TaggedError<StorageError>()("StorageError", {
  fault: Schema.Literals(["message", "conflict", "unavailable"]),
  code: Schema.optionalKey(Schema.String),
  constraint: Schema.optionalKey(Schema.String),
  message: Schema.String,
}) {}

/** One transaction. Parameters are positional (`$1`); objects and arrays for `jsonb` are passed as JSON text. */
export interface Tx {
  readonly query: <Row = Record<string, unknown>>(
    text: string,
    values?: ReadonlyArray<unknown>,
  ) => Effect.Effect<ReadonlyArray<Row>, StorageError>
}

export class Storage extends Context.Service<
  Storage,
  {
    /**
     * Runs `work` in one transaction and commits; rolls back on failure. `afterCommitUnclear`: when the connection fails
     * during COMMIT the error is `unavailable`, and whoever repeats must read what is applied again.
     */
    readonly transaction: <A, E>(
      isolation: "repeatable read" | "read committed",
      work: (tx: Tx) => Effect.Effect<A, E>,
    ) => Effect.Effect<A, E | StorageError>
    /** One statement outside any transaction of ours. */
    readonly query: Tx["query"]
  }
>()("@sluice/actor/Storage") {}

export class BusError extends Schema.TaggedError<BusError>()("BusError", {
  reason: Schema.Literals(["unavailable", "refused", "missing"]),
  message: Schema.String,
}) {}

export interface Delivery {
  readonly data: Uint8Array
  readonly subject: string
  /** Broker time of storage, epoch milliseconds. */
  readonly storedAt: number
}

export interface Publication {
  readonly subject: string
  readonly data: Uint8Array
  /** Saves work within the broker's duplicate window; absent when the message must be stored again. */
  readonly messageId?: string
  /** Milliseconds after which the broker may drop it. */
  readonly timeToLive?: number
}

/** An at-least-once delivery that waits for its verdict. */
export interface Work {
  readonly data: Uint8Array
  readonly subject: string
  readonly header: (name: string) => string | undefined
  readonly storedAt: number
  readonly sequence: number
  readonly deliveries: number
  readonly ack: Effect.Effect<void>
  /** Redeliver after `delay` milliseconds. */
  readonly retry: (delay: number) => Effect.Effect<void>
  readonly working: Effect.Effect<void>
  /** Never redeliver. */
  readonly terminate: (reason: string) => Effect.Effect<void>
}

export class Bus extends Context.Service<
  Bus,
  {
    readonly namespace: string
    /** Stores all of them, pipelined; answers which ones were stored, in the order given. Never fails as a whole. */
    readonly publish: (list: ReadonlyArray<Publication>) => Effect.Effect<ReadonlyArray<boolean>>
    /**
     * Reads a partition's subject in order from broker time `from` (epoch ms), for as long as the scope is open. Opened
     * anew, from what `from` says then, on every reconnect or gap.
     */
    readonly read: (options: {
      readonly stream: string
      readonly subject: string
      readonly from: () => number
      readonly onDelivery: (delivery: Delivery) => void
    }) => Effect.Effect<void, BusError, Scope.Scope>
    /** A durable pull consumer; handlers run at most `concurrency` at a time. */
    readonly consume: (options: {
      readonly stream: string
      readonly consumer: string
      readonly concurrency: number
      readonly handle: (work: Work) => Effect.Effect<void>
    }) => Effect.Effect<void, BusError, Scope.Scope>
    /** Core NATS: at most once, for hints and receipts. */
    readonly announce: (subject: string, data: Uint8Array) => Effect.Effect<void>
    readonly listen: (
      subject: string,
      onMessage: (subject: string, data: Uint8Array) => void,
    ) => Effect.Effect<void, BusError, Scope.Scope>
    /** Removes everything stored on a subject. */
    readonly purge: (stream: string, subject: string) => Effect.Effect<void, BusError>
    /** Runs after every reconnect, and whenever a stream turned out to be missing. */
    readonly onReconnect: (run: Effect.Effect<void>) => Effect.Effect<void, never, Scope.Scope>
    /** Runs when this process had to create the stream anew: what it held is gone. */
    readonly onStreamLost: (stream: string, run: Effect.Effect<void>) => Effect.Effect<void, never, Scope.Scope>
  }
>()("@sluice/actor/Bus") {}
