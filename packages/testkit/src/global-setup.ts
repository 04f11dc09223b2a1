/**
 * Vitest's global setup for lanes that need Postgres: one server for the whole run, its address published to every test
 * file (`shared.ts` reads it), stopped when the run ends.
 */
import { Effect, Exit, Redacted, Scope } from "effect"
import type { TestProject } from "vitest/node"
import { postgresServer } from "./servers.ts"

export const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  const scope = Scope.makeUnsafe()
  const { url } = await Effect.runPromise(Scope.provide(postgresServer, scope))
  project.provide("postgresUrl", Redacted.value(url))
  return () => Effect.runPromise(Scope.close(scope, Exit.void))
}
