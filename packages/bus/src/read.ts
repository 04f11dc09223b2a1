/**
 * Reading one subject in order, for partitions. A session is one throw-away consumer that starts at a broker time; the
 * first sign of trouble (a gap, a missed heartbeat, a dropped connection, a consumer or stream that is gone) ends it and
 * the next starts from what `from()` says then. It never resumes by sequence: a stream that lost its tail hands the same
 * sequences out again. Whoever reads sees repeats, and drops them by its marks.
 */
import { AckPolicy, type ConsumerMessages, DeliverPolicy, type JsMsg } from "@nats-io/jetstream"
import { nanos, nuid } from "@nats-io/transport-node"
import type { BusError, Delivery } from "@sluice/actor/ports"
import { DateTime, Effect, type Scope } from "effect"
import { type Connection, whileUp } from "./connection.ts"
import { attempt } from "./failure.ts"
import type { Repair } from "./repair.ts"

export interface ReadOptions {
  readonly stream: string
  readonly subject: string
  readonly from: () => number
  readonly onDelivery: (delivery: Delivery) => void
}

const heartbeat = 1_000 // two missed end the session: a silent loss is found within seconds
const pullExpires = 30_000 // a pull that found nothing is asked again
const readAheadMax = 500 // as many as a batch can take, so that a full batch costs one round trip
const orphanAfter = 30_000 // the broker removes the consumer of a process that died
const reopenPause = 200 // a stream that is being created takes about as long

/** Goes on in the background until the scope closes; returns at once. */
export const read = (
  connection: Connection,
  repair: Repair,
  options: ReadOptions,
): Effect.Effect<void, never, Scope.Scope> =>
  session(connection, options).pipe(
    Effect.catch((error: BusError) => {
      if (error.reason === "missing") repair.request()
      return Effect.succeed(error.message)
    }),
    Effect.tap(why => Effect.logDebug(`reading ${options.subject} is opened anew: ${why}`)),
    Effect.andThen(Effect.sleep(reopenPause)),
    Effect.forever,
    Effect.forkScoped,
    Effect.asVoid,
  )

/** Answers why it ended. */
const session = (connection: Connection, options: ReadOptions): Effect.Effect<string, BusError> =>
  Effect.andThen(
    connection.up.await,
    Effect.acquireUseRelease(
      openConsumer(connection, options),
      consumer => whileUp(connection, deliver(connection, consumer, options)),
      consumer => discard(connection, options.stream, consumer.name),
    ),
  )

const openConsumer = (connection: Connection, options: ReadOptions) =>
  attempt(() =>
    connection.jsm.consumers.add(options.stream, {
      name: `read-${nuid.next()}`,
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.StartTime,
      opt_start_time: DateTime.formatIso(DateTime.makeUnsafe(options.from())),
      filter_subject: options.subject,
      inactive_threshold: nanos(orphanAfter),
      mem_storage: true,
      num_replicas: 1,
    }),
  )

type OpenedConsumer = Effect.Success<ReturnType<typeof openConsumer>>

const deliver = (connection: Connection, opened: OpenedConsumer, options: ReadOptions): Effect.Effect<string> =>
  Effect.callback<string>((resume, signal) => {
    let expected = 1
    const over = (why: string) => resume(Effect.succeed(why))
    const callback = (message: JsMsg) => {
      if (signal.aborted) return
      if (message.info.deliverySequence !== expected) return over("a delivery is missing")
      expected += 1
      options.onDelivery(deliveryOf(message))
    }
    const consumer = connection.js.consumers.getConsumerFromInfo(opened)
    const opening = consumer.consume({
      callback,
      bind: true,
      idle_heartbeat: heartbeat,
      expires: pullExpires,
      max_messages: readAheadMax,
    })
    opening.then(
      messages => {
        signal.addEventListener("abort", () => void messages.close())
        if (signal.aborted) void messages.close()
        void watch(messages, over)
      },
      failure => over(String(failure)),
    )
  })

/** What the client would mend by itself, by sequence, ends the session instead. */
const watch = async (messages: ConsumerMessages, over: (why: string) => void): Promise<void> => {
  for await (const status of messages.status()) {
    switch (status.type) {
      case "heartbeats_missed":
      case "consumer_deleted":
      case "consumer_not_found":
      case "stream_not_found":
      case "no_responders":
        over(status.type.replaceAll("_", " "))
    }
  }
  over("the reader was closed")
}

const deliveryOf = (message: JsMsg): Delivery => ({
  data: message.data,
  subject: message.subject,
  // Rounded down: reading again from here must include this message.
  storedAt: Math.floor(message.info.timestampNanos / 1_000_000),
})

/** The broker forgets an orphan by itself, so a failure here costs nothing. */
const discard = (connection: Connection, stream: string, name: string): Effect.Effect<void> =>
  connection.up.isOpen() ? Effect.ignore(attempt(() => connection.jsm.consumers.delete(stream, name))) : Effect.void
