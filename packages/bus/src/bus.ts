/**
 * The real `Bus`: JetStream and core NATS over one connection. This package alone knows the NATS client. `BusAdmin` is the
 * same connection for whoever owns the topology: what was applied once is applied again whenever the broker lost it.
 */
import type { Msg } from "@nats-io/transport-node"
import { Bus, type BusError } from "@sluice/actor/ports"
import { Context, Effect, Layer, type Scope } from "effect"
import { type Connection, type ConnectionOptions, connection, whileUp } from "./connection.ts"
import { consume } from "./consume.ts"
import { attempt, toBusError } from "./failure.ts"
import { makePublish } from "./publish.ts"
import { read } from "./read.ts"
import { makeRepair } from "./repair.ts"
import { type StoredPlace, storedSequence, takeBack } from "./stored.ts"
import type { StreamSpec } from "./stream-spec.ts"

export interface BusOptions extends ConnectionOptions {
  readonly namespace: string
}

export class BusAdmin extends Context.Service<
  BusAdmin,
  {
    /**
     * Creates and updates streams and their durable consumers, and remembers them for repairs. Answers what it changed, a
     * line each. Applying a stream again replaces what is remembered of it.
     */
    readonly apply: (list: ReadonlyArray<StreamSpec>) => Effect.Effect<ReadonlyArray<string>, BusError>
    /** Whether a message lies on the subject. */
    readonly holds: (place: Omit<StoredPlace, "consumer">) => Effect.Effect<boolean, BusError>
    /** Removes the message on the subject; says whether the consumer had been given it (when in doubt, `taken`). */
    readonly takeBack: (place: StoredPlace) => Effect.Effect<"untaken" | "taken" | "absent", BusError>
  }
>()("@sluice/bus/BusAdmin") {}

/** Fails with one sentence when the broker cannot be reached in time, refuses the login, or is too old. */
export const layer = (options: BusOptions): Layer.Layer<Bus | BusAdmin, BusError> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const self = yield* connection(options)
      const repair = yield* makeRepair(self)
      const publish = yield* makePublish(self, repair)
      const bus = Bus.of({
        namespace: options.namespace,
        publish,
        read: request => read(self, repair, request),
        consume: request => consume(self, repair, request),
        announce: (subject, data) => announce(self, subject, data),
        listen: (subject, onMessage) => listen(self, subject, onMessage),
        purge: (stream, subject) =>
          Effect.asVoid(
            whileUp(
              self,
              attempt(() => self.jsm.streams.purge(stream, { filter: subject })),
            ),
          ),
        onReconnect: repair.addHook,
        onStreamLost: repair.addLostHook,
      })
      const admin = BusAdmin.of({
        apply: repair.apply,
        holds: place => Effect.map(whileUp(self, storedSequence(self.jsm, place)), sequence => sequence !== undefined),
        takeBack: place => whileUp(self, takeBack(self.jsm, place)),
      })
      return Context.mergeAll(Context.make(Bus, bus), Context.make(BusAdmin, admin))
    }),
  )

/** Lossy by design: nothing is kept for a broker that is away. */
const announce = (self: Connection, subject: string, data: Uint8Array): Effect.Effect<void> =>
  Effect.suspend(() =>
    self.up.isOpen()
      ? Effect.ignore(Effect.try({ try: () => self.nc.publish(subject, data), catch: toBusError }))
      : Effect.void,
  )

/** The broker knows of the subscription when this returns; the client renews it on reconnect. */
const listen = (
  self: Connection,
  subject: string,
  onMessage: (subject: string, data: Uint8Array) => void,
): Effect.Effect<void, BusError, Scope.Scope> =>
  Effect.suspend(() => {
    // The broker says that we may not listen here before it answers the flush.
    let refusal: Error | undefined
    const callback = (failure: Error | null, message: Msg) => {
      if (failure === null) onMessage(message.subject, message.data)
      else refusal = failure
    }
    return Effect.acquireRelease(
      Effect.try({ try: () => self.nc.subscribe(subject, { callback }), catch: toBusError }),
      subscription => Effect.sync(() => subscription.unsubscribe()),
    ).pipe(
      Effect.andThen(
        whileUp(
          self,
          attempt(() => self.nc.flush()),
        ),
      ),
      Effect.andThen(() => (refusal === undefined ? Effect.void : Effect.fail(toBusError(refusal)))),
    )
  })
