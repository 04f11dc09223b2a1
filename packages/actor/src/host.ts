/**
 * Which partitions this process runs: takes those whose lease has run out, renews in one statement, stands down where
 * renewing failed, hands over on a graceful stop. Safety never rests on a lease (every batch checks its epoch); a lease
 * only decides who bothers.
 */
import type { SourceKind } from "@sluice/protocol/envelope"
import { Clock, Context, Deferred, Effect, Exit, Layer, Option, Scope, Semaphore } from "effect"
import { reached } from "./crash-point.ts"
import type { AnyActorKind } from "./definition.ts"
import { type Partition, runPartition } from "./partition.ts"
import { type PartitionId, PartitionStore, type Taken } from "./partition-store.ts"
import type { Bus } from "./ports.ts"
import { RelayService } from "./relay.ts"

/** A dead owner's partitions move after this; the timeouts of runtime sessions are shorter. */
export const leaseMs = 6_000
/**
 * Batches of one process at one time. More than the machine can work on only makes each of them smaller, and a small batch
 * costs as many round trips as a large one (two cores, 16 partitions, 1,500 targets: 195 per second against 130 without).
 */
const batchesAtOnceMax = 6
const renewEvery = 1_500
/** A loop that has not passed for this long is stuck: seen by the health check. */
const stuckAfter = 20_000

export interface HostOptions {
  readonly actors: ReadonlyArray<AnyActorKind>
  /** Whether this process relays for doors. */
  readonly doors: boolean
  /** Unique to this process. */
  readonly owner: string
  /** Owners known to be gone (killed on this machine): their leases are not waited for at the first round. */
  readonly isDead?: (owner: string) => boolean
}

export interface PartitionReport {
  readonly kind: SourceKind
  readonly partition: number
  readonly epoch: number
  readonly backlog: number
  readonly problem?: string
}

export class Host extends Context.Service<
  Host,
  {
    readonly report: Effect.Effect<ReadonlyArray<PartitionReport>>
    /** Completes when every partition of this process's kinds has an owner somewhere. */
    readonly settled: Effect.Effect<void>
  }
>()("@sluice/actor/Host") {
  static readonly layer = (options: HostOptions): Layer.Layer<Host, never, Bus | PartitionStore | RelayService> =>
    Layer.effect(
      Host,
      Effect.gen(function* () {
        const store = yield* PartitionStore
        const relay = yield* RelayService
        const turns = yield* Semaphore.make(batchesAtOnceMax)
        const context = yield* Effect.context<Bus | PartitionStore | RelayService>()
        const running = new Map<string, { taken: Taken; scope: Scope.Closeable; partition?: Partition }>()
        const kinds: ReadonlyArray<SourceKind> = [
          ...options.actors.map(actor => actor.definition.kind),
          ...(options.doors ? (["door"] as const) : []),
        ]
        const settled = yield* Deferred.make<void>()
        const nameOf = (id: PartitionId) => `${id.kind}.${id.partition}`

        const start = Effect.fnUntraced(function* (taken: Taken) {
          const scope = yield* Scope.make()
          const actor = options.actors.find(one => one.definition.kind === taken.kind)
          const entry: { taken: Taken; scope: Scope.Closeable; partition?: Partition } = { taken, scope }
          running.set(nameOf(taken), entry)
          yield* relay.own(taken)
          if (actor === undefined) return
          const partition = yield* runPartition(actor, taken, relay, turns).pipe(
            Scope.provide(scope),
            Effect.provideContext(context),
          )
          entry.partition = partition
        })

        const stop = Effect.fnUntraced(function* (id: PartitionId) {
          const entry = running.get(nameOf(id))
          if (entry === undefined) return
          running.delete(nameOf(id))
          yield* relay.disown(id)
          yield* Scope.close(entry.scope, Exit.void)
        })

        let firstRound = true
        /** What only a newer process can read: another one may have it. */
        const tooNew: Array<PartitionId> = []
        const round = Effect.gen(function* () {
          const mine = new Set((yield* store.renew(options.owner, leaseMs)).map(nameOf))
          for (const { taken, partition } of [...running.values()]) {
            const ending = partition === undefined ? Option.none() : yield* Deferred.poll(partition.done)
            if (mine.has(nameOf(taken)) && Option.isNone(ending)) continue
            if (Option.isSome(ending) && (yield* ending.value) === "newer") tooNew.push(taken)
            yield* stop(taken)
            if (mine.has(nameOf(taken))) yield* store.release(options.owner, [taken])
          }
          const { isDead } = options
          const dead = firstRound && isDead !== undefined ? (yield* store.owners).filter(isDead) : []
          const taken = yield* store.take(kinds, options.owner, leaseMs, dead, tooNew)
          firstRound = false
          if (taken.length > 0) yield* reached("partitions-taken")
          yield* Effect.forEach(taken, start, { concurrency: 16, discard: true })
          yield* Deferred.succeed(settled, undefined)
        }).pipe(
          Effect.catch(error => Effect.logWarning(`leases: ${error.message}; trying again`)),
          // Whatever it was: without the next round every partition of this process would be lost.
          Effect.catchDefect(defect => Effect.logError("leases: a round broke; trying again", defect)),
        )

        yield* Effect.addFinalizer(() =>
          Effect.gen(function* () {
            const list = [...running.values()].map(entry => entry.taken)
            yield* Effect.forEach(list, stop, { concurrency: "unbounded", discard: true })
            // All of ours: a round that was interrupted may have taken some that it had not started.
            yield* store.release(options.owner, yield* store.renew(options.owner, leaseMs))
          }).pipe(
            Effect.catch(error =>
              Effect.logWarning(`leases were not handed over, they run out by themselves: ${error.message}`),
            ),
          ),
        )
        yield* round
        yield* round.pipe(Effect.delay(renewEvery), Effect.forever, Effect.forkScoped)

        return {
          settled: Deferred.await(settled),
          report: Effect.gen(function* () {
            const now = yield* Clock.currentTimeMillis
            const given = tooNew.map(
              ({ kind, partition }): PartitionReport => ({
                kind,
                partition,
                epoch: 0,
                backlog: 0,
                problem: "given back: it is for a newer version of this program",
              }),
            )
            const held = [...running.values()].map(({ taken, partition }): PartitionReport => {
              const stuck =
                partition !== undefined && partition.backlog() > 0 && now - partition.lastPass() > stuckAfter
              const problem =
                partition?.problem() ??
                (stuck ? `no progress for ${Math.round((now - partition.lastPass()) / 1000)} s` : undefined)
              return {
                kind: taken.kind,
                partition: taken.partition,
                epoch: taken.epoch,
                backlog: partition?.backlog() ?? 0,
                ...(problem === undefined ? {} : { problem }),
              }
            })
            return [...held, ...given]
          }),
        }
      }),
    )
}
