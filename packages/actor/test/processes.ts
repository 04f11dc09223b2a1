/**
 * Processes of the runtime on one broker and one database, for the contract tests of this package. Each stands behind
 * proxies of its own, so that a test can cut it off as a crash, a freeze or a network would.
 */
import { platformLayer } from "@sluice/process/platform"
import { natsServer } from "@sluice/testkit/nats"
import { type ByteHook, openProxy } from "@sluice/testkit/proxy"
import { testDatabase } from "@sluice/testkit/shared"
import { Effect, Exit, Layer, Redacted, References, Scope } from "effect"
import type { AnyActorKind } from "../src/definition.ts"
import { Door } from "../src/door.ts"
import { Host } from "../src/host.ts"
import { Storage } from "../src/ports.ts"
import { type Counted, countingActor } from "./counting-actor.ts"

export const workspaceId = "11111111-1111-4111-8111-111111111111"
export const reconcile = (key: string, reason: string) => ({
  kind: "target" as const,
  workspaceId,
  key,
  type: "Reconcile",
  body: { reason },
})
const counting: AnyActorKind = { _tag: "Document", definition: countingActor }

/** Everything is stopped with the scope: processes first, then proxies and servers. */
export const installation = Effect.gen(function* () {
  const nats = yield* natsServer
  const database = yield* testDatabase
  const databaseUrl = new URL(Redacted.value(database.url))

  const process = Effect.fnUntraced(function* (
    owner: string,
    options: { readonly actors?: ReadonlyArray<AnyActorKind>; readonly doors?: boolean; readonly hook?: ByteHook } = {},
  ) {
    const toNats = yield* openProxy({ toPort: Number(new URL(nats.url).port) })
    yield* toNats.hook(options.hook)
    const toPostgres = yield* openProxy({ toPort: Number(databaseUrl.port) })
    const url = new URL(databaseUrl)
    url.host = `127.0.0.1:${toPostgres.port}`
    const scope = yield* Scope.make()
    const stop = Scope.close(scope, Exit.void)
    yield* Effect.addFinalizer(() => stop)
    const { actors = [counting], doors = true } = options
    const context = yield* Layer.build(
      Host.layer({ actors, doors, owner }).pipe(
        Layer.provideMerge(
          platformLayer({
            database: { ...database, url: Redacted.make(url.href), poolSize: 12 },
            bus: {
              servers: [`nats://127.0.0.1:${toNats.port}`],
              user: nats.user,
              pass: Redacted.value(nats.password),
              namespace: "sluice",
              name: owner,
            },
            partitions: 4,
          }),
        ),
      ),
    ).pipe(Scope.provide(scope))
    return {
      context,
      stop,
      toNats,
      toPostgres,
      /** What the rest of the world sees of `kill -9`: its connections end, and nothing is ever heard of it again. */
      vanish: Effect.andThen(toPostgres.refuse, toNats.refuse),
    }
  })
  return { nats, process }
})

/** These tests break things on purpose; what the runtime says about it is not news. */
export const silently = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provideService(effect, References.MinimumLogLevel, "None")

export const say = (...messages: ReadonlyArray<ReturnType<typeof reconcile>>) =>
  Effect.flatMap(Door, door => door.commit(workspaceId, () => Effect.succeed({ value: undefined, messages })))

export const rowsOf = <Row>(text: string, values: ReadonlyArray<unknown> = []) =>
  Effect.flatMap(Storage, storage => storage.query<Row>(text, values))

export const stateOf = (key: string) =>
  Effect.map(
    rowsOf<{ state: Counted }>("SELECT state FROM actor_state WHERE kind = 'target' AND key = $1", [key]),
    ([row]) => row?.state ?? { count: 0, heard: [] },
  )

export const until = Effect.fnUntraced(function* <A, E, R>(
  what: string,
  look: Effect.Effect<A, E, R>,
  good: (a: A) => boolean,
  seconds = 15,
) {
  let seen: A | undefined
  for (let i = 0; i < seconds * 20; i++) {
    seen = yield* look
    if (good(seen)) return seen
    yield* Effect.sleep(50)
  }
  return yield* Effect.die(new Error(`waited ${seconds} s for ${what}; saw ${JSON.stringify(seen)}`))
})
