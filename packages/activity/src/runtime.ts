/**
 * The activity runtime: every kind reads its own durable consumer and performs what it is handed, as many at a time as the
 * kind allows. Goes on in the background until the scope closes; what is in hands then goes back to the queue.
 */
import { Door } from "@sluice/actor/door"
import { Bus, type BusError } from "@sluice/actor/ports"
import { consumers, streams } from "@sluice/protocol/subjects"
import { Effect, type Scope } from "effect"
import type { ActivityKind } from "./definition.ts"
import { perform } from "./perform.ts"

// biome-ignore lint/suspicious/noExplicitAny: kinds of different payloads stand in one list, and each is only given its own
export type AnyActivityKind<R> = ActivityKind<any, any, any, any, R>
// biome-ignore lint/suspicious/noExplicitAny: what a kind needs is inferred from it
type SomeActivityKind = AnyActivityKind<any>
type Needs<Kind> = Kind extends AnyActivityKind<infer R> ? R : never

export const runActivities = <Kinds extends ReadonlyArray<SomeActivityKind>>(
  kinds: Kinds,
): Effect.Effect<void, BusError, Bus | Door | Scope.Scope | Needs<Kinds[number]>> =>
  Effect.gen(function* () {
    const bus = yield* Bus
    const door = yield* Door
    const services = yield* Effect.context<Needs<Kinds[number]>>()
    for (const kind of kinds as ReadonlyArray<AnyActivityKind<Needs<Kinds[number]>>>) {
      yield* bus.consume({
        stream: streams(bus.namespace).activity(),
        consumer: consumers.activity(kind.name),
        concurrency: kind.concurrency,
        handle: work => Effect.provide(perform(kind, door, work), services),
      })
    }
  })
