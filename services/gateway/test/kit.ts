/**
 * The gateway as its clients see it: real HTTP on a free port, real Postgres, real NATS, the real door, and the event log
 * on the real runtime. `job` actors are stood in by one that answers claims and reports, since other services are not here.
 */
import type { SetActorKind } from "@sluice/actor/definition"
import { Host } from "@sluice/actor/host"
import { Storage } from "@sluice/actor/ports"
import { platformLayer } from "@sluice/process/platform"
import type { MessageOf } from "@sluice/protocol/catalogue"
import { natsServer } from "@sluice/testkit/nats"
import { testDatabase } from "@sluice/testkit/shared"
import { Context, Effect, Layer, Redacted } from "effect"
import { bootstrap, ensureUser, ensureWorkspace } from "../src/bootstrap.ts"
import { eventLog } from "../src/event-log.ts"
import { consumeIntake } from "../src/intake.ts"
import { consumeReports } from "../src/reports.ts"
import { listen } from "../src/server.ts"

export const adminKey = `${"a".repeat(16)}.${"1".repeat(64)}`
export const otherKey = `${"b".repeat(16)}.${"2".repeat(64)}`
export const namespace = "sluice"

export interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: what came over the wire; each test says what it expects of it
  readonly body: any
  readonly type: string
}
export interface CallOptions {
  readonly key?: string | null
  readonly body?: unknown
  readonly raw?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A job set actor of one job: queued jobs can be claimed once, reports are written down. */
const jobs: SetActorKind<MessageOf<"job">> = {
  kind: "job",
  step: (tx, batch) =>
    Effect.forEach(
      batch,
      Effect.fnUntraced(function* ({ input }) {
        const message = input._tag === "Message" ? input.message : undefined
        if (message?.type === "ClaimJob") {
          const taken = yield* tx.query(
            "UPDATE job SET status = 'inProgress', started_at = now() WHERE id = $1 AND status = 'queued' RETURNING id",
            [message.body.jobId],
          )
          const outcome = { events: [], effects: [] }
          return taken.length === 1 ? outcome : { ...outcome, refused: "the job is not queued any more" }
        }
        if (message?.type === "AgentReported") {
          const { jobId, status, externalId = null } = message.body
          const changed = yield* tx.query(
            "UPDATE job SET status = $2, external_id = $3 WHERE id = $1 AND status <> 'successful' RETURNING id",
            [jobId, status, externalId],
          )
          if (changed.length === 0) return { events: [], effects: [], refused: "the job has ended" }
        }
        return { events: [], effects: [] }
      }),
    ),
}

/** Everything running, with `default` as the first workspace and `elsewhere` as one the first key cannot see. */
export const startGateway = Effect.gen(function* () {
  const nats = yield* natsServer
  const database = yield* testDatabase
  const platform = platformLayer({
    database: { ...database, poolSize: 16 },
    bus: { servers: [nats.url], user: nats.user, pass: Redacted.value(nats.password), namespace, name: "test" },
    partitions: 4,
  })
  const actors = [
    { _tag: "Set" as const, definition: eventLog },
    { _tag: "Set" as const, definition: jobs },
  ]
  const context = yield* Layer.build(
    Host.layer({ actors, doors: true, owner: "gateway-test" }).pipe(Layer.provideMerge(platform)),
  )
  const inside = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provideContext(effect, context)
  const { port } = yield* inside(
    Effect.gen(function* () {
      yield* bootstrap({ slug: "default", key: adminKey })
      const elsewhere = yield* ensureWorkspace({ slug: "elsewhere", name: "elsewhere" })
      yield* ensureUser({ workspaceId: elsewhere, name: "other", role: "admin", key: otherKey })
      yield* consumeIntake
      yield* consumeReports
      return yield* listen({ host: "127.0.0.1", port: 0 })
    }),
  )
  const base = `http://127.0.0.1:${port}`
  const call = async (method: string, path: string, options: CallOptions = {}): Promise<Answer> => {
    const { key = adminKey } = options
    const body = options.raw ?? (options.body === undefined ? undefined : JSON.stringify(options.body))
    const response = await fetch(`${base}/api${path}`, {
      method,
      headers: {
        ...(key === null ? {} : { "x-api-key": key }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...options.headers,
      },
      ...(body === undefined ? {} : { body }),
    })
    const text = await response.text()
    const type = response.headers.get("content-type") ?? ""
    return { status: response.status, type, body: type.includes("json") ? JSON.parse(text) : text }
  }
  const run = Effect.runPromiseWith(context)
  const storage = Context.get(context, Storage)
  const query = <Row>(text: string, values: ReadonlyArray<unknown> = []) => run(storage.query<Row>(text, values))
  const workspaceId: string = (yield* Effect.promise(() => call("GET", "/v1/workspaces/slug/default"))).body.id
  return { base, call, query, context, nats, workspaceId, W: `/v1/workspaces/${workspaceId}` }
})
export type Gateway = Effect.Success<typeof startGateway>
