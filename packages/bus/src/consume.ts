/**
 * Work from a durable pull consumer: asks for as many messages as handlers are free, hands each to one handler, and
 * leaves the verdict to it. The consumer's settings come from the topology; when it is gone the repair brings it back and
 * the loop goes on. A handler that is interrupted or breaks gives its message back.
 */
import type { Consumer, JsMsg } from "@nats-io/jetstream"
import type { BusError, Work } from "@sluice/actor/ports"
import { Cause, Effect, FiberSet, type Scope } from "effect"
import { type Connection, whileUp } from "./connection.ts"
import { attempt, toBusError } from "./failure.ts"
import type { Repair } from "./repair.ts"

export interface ConsumeOptions {
  readonly stream: string
  readonly consumer: string
  readonly concurrency: number
  readonly handle: (work: Work) => Effect.Effect<void>
}

const pullExpires = 30_000 // a pull that found nothing is asked again
const heartbeat = 5_000 // two missed and the consumer is looked up again
const reopenPause = 200
const brokenHandlerPause = 5_000 // a handler with a defect must not spin

/** Goes on in the background until the scope closes; returns at once. */
export const consume = (
  connection: Connection,
  repair: Repair,
  options: ConsumeOptions,
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const run = yield* FiberSet.makeRuntime<never, void, never>()
    const slots = makeSlots(options.concurrency)
    const onMessage = (message: JsMsg) => {
      slots.take()
      run(Effect.ensuring(handleOne(message, options), Effect.sync(slots.give)))
    }
    yield* session(connection, options, slots, onMessage).pipe(
      Effect.catch((error: BusError) => {
        if (error.reason === "missing") repair.request()
        return Effect.logDebug(`${options.stream}/${options.consumer} is opened anew: ${error.message}`)
      }),
      Effect.andThen(Effect.sleep(reopenPause)),
      Effect.forever,
      Effect.forkScoped,
    )
  })

const session = (
  connection: Connection,
  options: ConsumeOptions,
  slots: Slots,
  onMessage: (message: JsMsg) => void,
): Effect.Effect<never, BusError> =>
  Effect.gen(function* () {
    yield* connection.up.await
    const consumer = yield* whileUp(
      connection,
      attempt(() => connection.js.consumers.get(options.stream, options.consumer)),
    )
    while (true) {
      const free = yield* slots.free
      yield* whileUp(connection, fetch(consumer, free, onMessage))
    }
  })

const fetch = (consumer: Consumer, count: number, onMessage: (message: JsMsg) => void) =>
  Effect.callback<void, BusError>((resume, signal) => {
    const pull = async () => {
      const messages = await consumer.fetch({ max_messages: count, expires: pullExpires, idle_heartbeat: heartbeat })
      signal.addEventListener("abort", () => void messages.close())
      if (signal.aborted) await messages.close()
      for await (const message of messages) onMessage(message)
    }
    pull().then(
      () => resume(Effect.void),
      failure => resume(Effect.fail(toBusError(failure))),
    )
  })

const handleOne = (message: JsMsg, options: ConsumeOptions): Effect.Effect<void> => {
  const work = workOf(message)
  return Effect.suspend(() => options.handle(work)).pipe(
    Effect.onInterrupt(() => work.retry(0)),
    Effect.catchCauseIf(
      cause => !Cause.hasInterruptsOnly(cause),
      cause =>
        Effect.andThen(
          Effect.logError(`the handler of ${options.stream}/${options.consumer} broke`, cause),
          work.retry(brokenHandlerPause),
        ),
    ),
  )
}

const workOf = (message: JsMsg): Work => ({
  data: message.data,
  subject: message.subject,
  header: name => (message.headers?.has(name) ? message.headers.get(name) : undefined),
  storedAt: Math.floor(message.info.timestampNanos / 1_000_000),
  sequence: message.seq,
  deliveries: message.info.deliveryCount,
  ack: verdict(() => message.ack()),
  retry: delay => verdict(() => message.nak(delay)),
  working: verdict(() => message.working()),
  terminate: reason => verdict(() => message.term(reason)),
})

/** A verdict that cannot be sent is a connection that is closed: the broker delivers again after its ack wait. */
const verdict = (send: () => void): Effect.Effect<void> => Effect.ignore(Effect.try({ try: send, catch: toBusError }))

interface Slots {
  readonly take: () => void
  readonly give: () => void
  /** How many are free, once there is one. */
  readonly free: Effect.Effect<number>
}

const makeSlots = (count: number): Slots => {
  let free = count
  let waiting: (() => void) | undefined
  return {
    take: () => {
      free -= 1
    },
    give: () => {
      free += 1
      waiting?.()
      waiting = undefined
    },
    free: Effect.callback<number>(resume => {
      if (free > 0) return resume(Effect.succeed(free))
      waiting = () => resume(Effect.sync(() => free))
      return Effect.sync(() => {
        waiting = undefined
      })
    }),
  }
}
