/** A workspace in a real database, edited as the gateway would, whose planner runs one batch when told what changed. */
import { randomUUID } from "node:crypto"
import type { ActorEffect, SetInput } from "@sluice/actor/definition"
import { Storage } from "@sluice/actor/ports"
import { releaseTargetKey } from "@sluice/domain/ids"
import type { CatalogChanged, ContinueFanOut } from "@sluice/protocol/planner"
import { Effect } from "effect"
import { type PlannerMessage, step } from "../src/handle.ts"

export const keyOf = (resource: string, environment: string, deployment: string): string =>
  releaseTargetKey({
    resourceId: resource,
    environmentId: environment,
    deploymentId: deployment,
  } as Parameters<typeof releaseTargetKey>[0])

export interface Heard {
  /** By message of the batch. */
  readonly reconciled: ReadonlyArray<ReadonlyArray<string>>
  readonly reasons: ReadonlySet<string>
  readonly events: ReadonlyArray<{ readonly type: string; readonly subject: string; readonly data: unknown }>
  readonly rest: ReadonlyArray<ContinueFanOut>
}

type Change = Omit<CatalogChanged, "reason"> & { readonly reason?: string }

export const newWorld = Effect.fnUntraced(function* () {
  const storage = yield* Storage
  const workspaceId = randomUUID()
  let now = 1_700_000_000_000
  const run = (text: string, ...values: ReadonlyArray<unknown>) => storage.query(text, values)
  yield* run("INSERT INTO workspace (id, slug, name) VALUES ($1, $2, 'w')", workspaceId, workspaceId)

  const batch = Effect.fnUntraced(function* (messages: ReadonlyArray<PlannerMessage>) {
    now += 1_000
    const inputs = messages.map(
      (message): SetInput<PlannerMessage> => ({
        key: workspaceId,
        workspaceId,
        input: { _tag: "Message", id: randomUUID(), message },
        correlationId: "c",
        id: randomUUID,
      }),
    )
    const outcomes = yield* storage.transaction("repeatable read", tx => step(tx, inputs, now + 0.25))
    return heard(outcomes.map(outcome => outcome.effects))
  })

  return {
    workspaceId,
    run,
    system: Effect.fnUntraced(function* () {
      const id = randomUUID()
      yield* run("INSERT INTO system (id, workspace_id, name) VALUES ($1, $2, 's')", id, workspaceId)
      return id
    }),
    owner: Effect.fnUntraced(function* (
      kind: "deployment" | "environment",
      selector: string | null,
      systems: ReadonlyArray<string>,
    ) {
      const id = randomUUID()
      yield* run(
        `INSERT INTO ${kind} (id, workspace_id, name, resource_selector) VALUES ($1, $2, $3, $4)`,
        id,
        workspaceId,
        id,
        selector,
      )
      for (const system of systems) {
        yield* run(
          `INSERT INTO system_${kind} (system_id, ${kind}_id, workspace_id) VALUES ($1, $2, $3)`,
          system,
          id,
          workspaceId,
        )
      }
      return id
    }),
    resource: Effect.fnUntraced(function* (metadata: Readonly<Record<string, string>> = {}) {
      const id = randomUUID()
      yield* run(
        `INSERT INTO resource (id, workspace_id, identifier, name, kind, version, metadata)
         VALUES ($1, $2, $3, 'r', 'Server', 'v1', $4)`,
        id,
        workspaceId,
        id,
        JSON.stringify(metadata),
      )
      return id
    }),
    remove: (table: string, id: string) => run(`UPDATE ${table} SET deleted_at = now() WHERE id = $1`, id),
    changed: (...changes: ReadonlyArray<Change>) =>
      batch(changes.map(change => ({ type: "CatalogChanged", body: { reason: "edited", ...change } }))),
    goOn: (rest: ContinueFanOut) => batch([{ type: "ContinueFanOut", body: rest }]),
    targets: Effect.map(
      storage.query<{ key: string }>(
        'SELECT key FROM release_target WHERE workspace_id = $1 AND present ORDER BY key COLLATE "C"',
        [workspaceId],
      ),
      rows => rows.map(row => row.key),
    ),
  }
})
export type World = Effect.Success<ReturnType<typeof newWorld>>

const heard = (effects: ReadonlyArray<ReadonlyArray<ActorEffect>>): Heard => {
  const flat = effects.flat()
  const reconciles = (list: ReadonlyArray<ActorEffect>) =>
    list.flatMap(effect => (effect._tag === "Send" && effect.type === "Reconcile" ? [effect] : []))
  return {
    reconciled: effects.map(list =>
      reconciles(list)
        .map(effect => effect.key)
        .sort(),
    ),
    reasons: new Set(reconciles(flat).map(effect => (effect.body as { reason: string }).reason)),
    events: flat.flatMap(effect => (effect._tag === "Publish" ? [effect.event] : [])),
    rest: flat.flatMap(effect =>
      effect._tag === "Send" && effect.type === "ContinueFanOut" ? [effect.body as ContinueFanOut] : [],
    ),
  }
}
