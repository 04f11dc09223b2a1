/**
 * Whether `npm start` plays the demonstration, and playing it inside the running process: on an installation without any
 * version, and again on one where it was begun and did not come to its end. What fails in it is said and stops nothing. Its
 * sites and their agent stay, and come back with later starts.
 */
import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Storage } from "@sluice/actor/ports"
import type { Home } from "@sluice/process/home"
import type { Settings } from "@sluice/process/settings"
import type { Servers } from "@sluice/process/start-servers"
import { Effect } from "effect"
import { prepareAccess, storageOf } from "./demonstration/access.ts"
import { journalProof } from "./demonstration/journal-proof.ts"
import { playDemonstration, standBy } from "./demonstration/play.ts"

const giveUpAfter = 5 * 60_000

export interface DemonstrateOptions {
  readonly settings: Settings
  readonly servers: Servers
  readonly home: Home
  /** Where the gateway listens. */
  readonly address: string
  readonly print: (line: string) => void
}

export const demonstrateIn = Effect.fnUntraced(function* (options: DemonstrateOptions) {
  const { settings, servers, home, address, print } = options
  const database = { url: servers.databaseUrl, namespace: settings.namespace }
  const directory = join(home.directory, "demonstration")
  const ended = join(directory, "ended")
  const outside = {
    baseUrl: address,
    nats: { url: servers.natsUrl, ...(servers.natsLogin ?? {}) },
    namespace: settings.namespace,
    stateDirectory: directory,
  }
  if (existsSync(ended)) return yield* standBy({ ...(yield* prepareAccess(database, directory)), ...outside })
  const begun = existsSync(directory)
  if (!begun && (yield* hasVersions.pipe(Effect.provide(storageOf(database))))) return
  print(
    `\n${begun ? "The demonstration goes on where it was." : "Nothing is deployed yet: here is a demonstration, in the workspace demo."}`,
  )
  const access = yield* prepareAccess(database, directory)
  const { ok } = yield* playDemonstration({
    ...access,
    ...outside,
    print,
    proof: acknowledged => journalProof(database, acknowledged),
    giveUpAfter,
  })
  yield* Effect.sync(() => writeFileSync(ended, ok ? "as promised\n" : "not as promised\n"))
  print(
    ok
      ? "\nEverything ended as promised. Sluice goes on serving; Ctrl-C stops it."
      : "\nSluice goes on serving; Ctrl-C stops it.",
  )
})

const hasVersions = Effect.gen(function* () {
  const storage = yield* Storage
  return (yield* storage.query("SELECT 1 FROM deployment_version LIMIT 1")).length > 0
})
