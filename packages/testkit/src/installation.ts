/**
 * A whole installation for one test file: a real NATS, a migrated database, and the services as processes, with a first
 * workspace and its admin. Everything is stopped and thrown away by `close`. Servers may be handed in, to put a proxy in
 * front of them or to kill them.
 */
import { createHash, randomBytes, randomUUID } from "node:crypto"
import { Storage } from "@sluice/actor/ports"
import type { UserId, WorkspaceId } from "@sluice/domain/ids"
import type { JournalExport } from "@sluice/protocol/journal-export"
import type { ConnectionOptions } from "@sluice/store/connection"
import { Database } from "@sluice/store/database"
import { exportJournal } from "@sluice/store/journal-export"
import { storageLayer } from "@sluice/store/storage"
import { insertKey, insertMember, insertUser } from "@sluice/store/users"
import { Context, Effect, Exit, Layer, Redacted, Scope } from "effect"
import { Api } from "./installation-api.ts"
import { type EventFeed, openEvents } from "./installation-events.ts"
import { type ProcessName, type ServicesProcess, serviceNames, servicesProcess } from "./installation-process.ts"
import { natsServer } from "./nats.ts"
import { testDatabase } from "./shared.ts"

export interface InstallationOptions {
  /** One process for everything, or one for each service. */
  readonly processes?: "all" | "each"
  /** With user and password; a NATS of its own when absent. */
  readonly natsUrl?: string
  /** A migrated database; one of its own on the run's server when absent. */
  readonly database?: ConnectionOptions
  /** Where the services find the database, when not at the address tests use. */
  readonly databaseUrl?: string
  readonly environment?: Readonly<Record<string, string>>
}

export interface Installation {
  /** As the first admin, in the first workspace. */
  readonly api: Api
  readonly workspaceId: string
  readonly feed: EventFeed
  readonly processes: ReadonlyArray<ServicesProcess>
  /** With user and password. */
  readonly natsUrl: string
  /** Another member of the workspace, with a key of their own. */
  readonly addUser: (name: string) => Promise<{ readonly userId: string; readonly api: Api }>
  readonly query: <Row>(text: string, values?: ReadonlyArray<unknown>) => Promise<ReadonlyArray<Row>>
  readonly exportJournal: () => Promise<JournalExport>
  readonly close: () => Promise<void>
}

export const workspaceSlug = "acme"
/** The test's own look at the database. */
const poolSize = 2

export const openInstallation = async (options: InstallationOptions = {}): Promise<Installation> => {
  const scope = Scope.makeUnsafe()
  const run = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>): Promise<A> =>
    Effect.runPromise(Scope.provide(effect, scope))
  const close = () => Effect.runPromise(Scope.close(scope, Exit.void))
  try {
    return await open(options, run, close, scope)
  } catch (error) {
    await close()
    throw error
  }
}

type Run = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>) => Promise<A>

const open = async (
  options: InstallationOptions,
  run: Run,
  close: () => Promise<void>,
  scope: Scope.Scope,
): Promise<Installation> => {
  const database = options.database ?? (await run(testDatabase))
  const natsUrl = options.natsUrl ?? (await run(ownNats))
  const key = newKey()
  const names: ReadonlyArray<ProcessName> = options.processes === "each" ? serviceNames : ["all"]
  const environment = {
    NATS_URL: natsUrl,
    DATABASE_URL: options.databaseUrl ?? Redacted.value(database.url),
    SLUICE_WORKSPACE: workspaceSlug,
    SLUICE_API_KEY: key,
    SLUICE_LOG: "quiet",
    ...options.environment,
  }
  const processes = await Promise.all(names.map(name => servicesProcess(name, environment)))
  const stopAll = Effect.promise(() => Promise.all(processes.filter(one => one.isRunning()).map(one => one.stop())))
  await run(Effect.addFinalizer(() => stopAll))
  await Promise.all(processes.map(one => one.start()))
  const gateway = processes.at(-1)
  const api = new Api({ url: `http://127.0.0.1:${gateway?.port}`, key, workspace: workspaceSlug })
  const { id: workspaceId } = await api.get(`/v1/workspaces/slug/${workspaceSlug}`)
  const feed = openEvents(api)
  await run(Effect.addFinalizer(() => Effect.sync(feed.close)))
  const stored = Layer.provideMerge(storageLayer, Database.layer({ ...database, poolSize }))
  const storage = Context.get(await run(Layer.build(stored).pipe(Scope.provide(scope))), Storage)
  return {
    api,
    workspaceId,
    feed,
    processes,
    natsUrl,
    close,
    query: (text, values) => run(storage.query(text, values)) as Promise<ReadonlyArray<never>>,
    exportJournal: () => run(exportJournal(storage)),
    addUser: async name => {
      const userId = randomUUID() as UserId
      const added = newKey()
      await run(
        storage.transaction("read committed", tx => insertMemberWithKey(tx, { userId, name, key: added, workspaceId })),
      )
      return { userId, api: api.as({ key: added }) }
    },
  }
}

const ownNats = Effect.map(natsServer, nats => withLogin(nats.url, nats.user, Redacted.value(nats.password)))

export const withLogin = (address: string, user: string, password: string): string => {
  const url = new URL(address)
  url.username = user
  url.password = password
  return url.href
}

/** Of the contract's form. */
const newKey = (): string => `${randomBytes(8).toString("hex")}.${randomBytes(32).toString("hex")}`

const insertMemberWithKey = Effect.fnUntraced(function* (
  tx: Parameters<typeof insertUser>[0],
  user: { readonly userId: UserId; readonly name: string; readonly key: string; readonly workspaceId: string },
) {
  const [prefix = "", secret = ""] = user.key.split(".")
  const { userId, name } = user
  yield* insertUser(tx, { id: userId, name })
  yield* insertKey(tx, { prefix, secretHash: createHash("sha256").update(secret).digest("hex"), userId, name })
  yield* insertMember(tx, { workspaceId: user.workspaceId as WorkspaceId, userId, role: "member" })
})
