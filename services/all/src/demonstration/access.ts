/**
 * What the demonstration needs from whoever runs the installation, since no HTTP call makes it: a workspace of its own and
 * two users with keys, kept beside the installation's other secrets. Idempotent.
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { StorageError } from "@sluice/actor/ports"
import { ensureUser, ensureWorkspace } from "@sluice/gateway-service/bootstrap"
import { newApiKey, writeSecretFile } from "@sluice/process/home"
import { Database } from "@sluice/store/database"
import type { StoreStartError } from "@sluice/store/errors"
import { storageLayer } from "@sluice/store/storage"
import { Effect, Layer, Redacted } from "effect"
import type { DemonstrationOptions } from "./play.ts"

export const demonstrationSlug = "demo"

export interface InstallationDatabase {
  readonly url: Redacted.Redacted<string>
  readonly namespace: string
}

/** The tables exist already. `directory`: where the keys are kept, mode 0600. */
export const prepareAccess = (
  database: InstallationDatabase,
  directory: string,
): Effect.Effect<Pick<DemonstrationOptions, "workspaceId" | "keys">, StorageError | StoreStartError> =>
  Effect.gen(function* () {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const workspaceId = yield* ensureWorkspace({ slug: demonstrationSlug, name: "Demonstration" })
    const keyOf = Effect.fnUntraced(function* (name: string, role: "admin" | "member") {
      const key = keptKey(join(directory, `${name}-key`))
      yield* ensureUser({ workspaceId, name, role, key: Redacted.value(key) })
      return key
    })
    const keys = { admin: yield* keyOf("publisher", "admin"), approver: yield* keyOf("approver", "member") }
    return { workspaceId, keys }
  }).pipe(Effect.provide(storageOf(database)))

/** A few connections beside those of the services. */
export const storageOf = ({ url, namespace }: InstallationDatabase) =>
  storageLayer.pipe(
    Layer.provide(Database.layer({ url, schema: namespace, applicationName: "sluice-demonstration", poolSize: 2 })),
  )

const keptKey = (file: string): Redacted.Redacted<string> => {
  if (!existsSync(file)) writeSecretFile(file, Redacted.value(newApiKey()))
  return Redacted.make(readFileSync(file, "utf8").trim())
}
