/**
 * How a service becomes a process: its settings, the platform under it, its partitions, its own work, its health. A service
 * is a value; its `main.ts` serves one of them, the all-in-one process serves all seven. Listens last: what a service opens
 * to the world in `run` comes after everything that must answer it.
 */
import { randomUUID } from "node:crypto"
import { hostname } from "node:os"
import type { AnyActorKind } from "@sluice/actor/definition"
import type { Door } from "@sluice/actor/door"
import { Host } from "@sluice/actor/host"
import type { PartitionStore } from "@sluice/actor/partition-store"
import type { Bus, Storage } from "@sluice/actor/ports"
import type { RelayService } from "@sluice/actor/relay"
import type { BusAdmin } from "@sluice/bus/bus"
import { Database } from "@sluice/store/database"
import { migrate } from "@sluice/store/migrate"
import { Effect, Layer, Redacted, type Scope } from "effect"
import { type Check, serveHealth } from "./health.ts"
import { platformLayer } from "./platform.ts"
import type { Settings } from "./settings.ts"
import type { NatsLoginData } from "./start-servers.ts"

export type Platform = Bus | BusAdmin | Database | Storage | PartitionStore | RelayService | Door

export interface Service {
  readonly name: string
  /** Actor kinds whose partitions this service owns. */
  readonly actors: ReadonlyArray<AnyActorKind>
  /** Whether it relays what doors committed: the gateway does. */
  readonly doors: boolean
  /** Starts its activities, consumers and servers in the scope, and returns. */
  readonly run: (settings: Settings) => Effect.Effect<void, { readonly message: string }, Platform | Scope.Scope>
}

export interface ServeOptions {
  readonly settings: Settings
  readonly natsUrl: string
  readonly natsLogin: NatsLoginData | undefined
  readonly databaseUrl: Redacted.Redacted<string>
}

/** Connections per process: batches of sixteen partitions each, doors, and reads of the gateway. */
const poolSize = 24

/** Runs the services in the caller's scope; returns when all of them are ready. */
export const serve = Effect.fn("serve")(function* (services: ReadonlyArray<Service>, options: ServeOptions) {
  const { settings } = options
  const name = services.length === 1 ? (services[0]?.name ?? "sluice") : "sluice"
  const connection = { url: options.databaseUrl, schema: settings.namespace, applicationName: `sluice-${name}` }
  yield* migrate(connection)
  const platform = yield* Layer.build(
    platformLayer({
      database: { ...connection, poolSize },
      bus: {
        servers: [options.natsUrl],
        ...(options.natsLogin === undefined ? {} : loginOf(options.natsLogin)),
        namespace: settings.namespace,
        name: `sluice-${name}`,
      },
      partitions: settings.partitions,
    }),
  )
  const host = yield* Layer.build(
    Host.layer({
      actors: services.flatMap(service => service.actors),
      doors: services.some(service => service.doors),
      owner: `${hostname()}/${process.pid}/${randomUUID()}`,
      isDead: isDeadHere,
    }),
  ).pipe(Effect.provideContext(platform))
  for (const service of services) {
    yield* service.run(settings).pipe(Effect.provideContext(platform))
  }
  const checks = () => ({
    partitions: Effect.flatMap(
      Effect.provideContext(
        Effect.flatMap(Host, one => one.report),
        host,
      ),
      reports => {
        const bad = reports.find(report => report.problem !== undefined)
        return bad === undefined
          ? Effect.void
          : Effect.fail({ message: `${bad.kind} partition ${bad.partition}: ${bad.problem}` })
      },
    ) as Check,
    database: Effect.asVoid(
      Effect.provideContext(
        Effect.flatMap(Database, database => database.run(db => db.execute("SELECT 1"))),
        platform,
      ),
    ) as Check,
  })
  const health = yield* serveHealth({ host: settings.host, port: settings.opsPort, checks })
  yield* Effect.logInfo(`${name} is ready; /healthz and /readyz on port ${health.port}`)
})

/** A process of this machine that runs no more: whoever was killed is not waited for. A reused process id only waits. */
const isDeadHere = (owner: string): boolean => {
  const [host, pid] = owner.split("/")
  if (host !== hostname()) return false
  // Only this process has its number, and this one has only begun: a container started again is process 1 again.
  if (Number(pid) === process.pid) return true
  try {
    process.kill(Number(pid), 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH"
  }
}

const loginOf = (login: NatsLoginData) => ({ user: login.user, pass: Redacted.value(login.password) })
