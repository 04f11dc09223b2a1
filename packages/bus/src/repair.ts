/**
 * What happens when the broker may have forgotten something: after every reconnect, and when a stream or consumer turns
 * out to be missing. First the topology that this process applied is applied again, then the hooks run in the order they
 * were registered. Requests that arrive meanwhile become one more round, however many there are.
 */
import type { JetStreamManager } from "@nats-io/jetstream"
import type { BusError } from "@sluice/actor/ports"
import { Effect, Latch, type Scope } from "effect"
import { applyTopology, isNewStream } from "./admin.ts"
import { type Connection, whileUp } from "./connection.ts"
import type { StreamSpec } from "./stream-spec.ts"

export interface Repair {
  /** Asks for a round; returns at once. */
  readonly request: () => void
  readonly apply: (list: ReadonlyArray<StreamSpec>) => Effect.Effect<ReadonlyArray<string>, BusError>
  readonly addHook: (hook: Effect.Effect<void>) => Effect.Effect<void, never, Scope.Scope>
  /** Like a hook, for one stream, after a round that had to create it. */
  readonly addLostHook: (stream: string, hook: Effect.Effect<void>) => Effect.Effect<void, never, Scope.Scope>
}

const roundsPause = 250 // many readers of one missing stream ask at the same moment

export const makeRepair = (connection: Connection): Effect.Effect<Repair, never, Scope.Scope> =>
  Effect.gen(function* () {
    const wanted = Latch.makeUnsafe(false)
    const applied = new Map<string, StreamSpec>()
    const hooks = new Set<Effect.Effect<void>>()
    const lostHooks = new Set<{ readonly stream: string; readonly hook: Effect.Effect<void> }>()
    const lost = new Set<string>()
    const request = () => void wanted.openUnsafe()
    const applyAgain = (spec: StreamSpec) =>
      applyTopology(connection.jsm, [spec]).pipe(
        Effect.andThen(lines => {
          if (lines.some(isNewStream)) lost.add(spec.name)
          return Effect.forEach(lines, line => Effect.logWarning(`the broker had lost its topology: ${line}`))
        }),
        // Unavailable is asked again; a refusal would be the same again, and neither the rest nor the hooks depend on it.
        Effect.catchIf(
          error => error.reason === "refused",
          error => Effect.logError(`stream ${spec.name} could not be brought back: ${error.message}`),
        ),
      )
    connection.onUp.add(request)

    const round = Effect.gen(function* () {
      yield* wanted.await
      yield* connection.up.await
      wanted.closeUnsafe()
      yield* whileUp(connection, Effect.forEach([...applied.values()], applyAgain, { discard: true }))
      const ofLost = [...lostHooks].filter(({ stream }) => lost.has(stream)).map(({ hook }) => hook)
      lost.clear()
      yield* Effect.forEach([...ofLost, ...hooks], runHook, { discard: true })
    }).pipe(
      Effect.catch(error =>
        Effect.andThen(Effect.logDebug(`repair is put off: ${error.message}`), Effect.sync(request)),
      ),
    )
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(round, Effect.sleep(roundsPause))))

    return {
      request,
      apply: list => applyAndRemember(connection.jsm, applied, list),
      addLostHook: (stream, hook) => {
        const own = { stream, hook }
        return Effect.acquireRelease(
          Effect.sync(() => lostHooks.add(own)),
          () => Effect.sync(() => lostHooks.delete(own)),
        )
      },
      addHook: hook => {
        // A hook is known by its place, so that the same effect may be registered twice.
        const own = Effect.suspend(() => hook)
        return Effect.acquireRelease(
          Effect.sync(() => hooks.add(own)),
          () => Effect.sync(() => hooks.delete(own)),
        )
      },
    }
  })

const applyAndRemember = (jsm: JetStreamManager, applied: Map<string, StreamSpec>, list: ReadonlyArray<StreamSpec>) =>
  Effect.suspend(() => {
    for (const spec of list) applied.set(spec.name, spec)
    return applyTopology(jsm, list)
  })

/** One broken hook must not keep the others from running. */
const runHook = (hook: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.catchDefect(hook, defect => Effect.logError("a reconnect hook failed", defect))
