/** Messages to the planner: one actor per workspace, keyed by the workspace id. Each names what changed, never its content. */
import { Schema } from "effect"

const ids = Schema.Array(Schema.String)

/**
 * `resources`: created, changed or gone. `deployments` / `environments`: selector or name changed, created, gone.
 * `systems`: links changed. `versions`: published or patched. `policies`, `agents`: edited (targets that may match).
 */
export const CatalogChanged = Schema.Struct({
  resources: Schema.optionalKey(ids),
  deployments: Schema.optionalKey(ids),
  environments: Schema.optionalKey(ids),
  systems: Schema.optionalKey(ids),
  versions: Schema.optionalKey(Schema.Array(Schema.Struct({ versionId: Schema.String, deploymentId: Schema.String }))),
  policies: Schema.optionalKey(ids),
  agents: Schema.optionalKey(ids),
  /** Shown in the history: "version 1.4.0 published", … */
  reason: Schema.String,
})
export type CatalogChanged = typeof CatalogChanged.Type

/**
 * The planner to itself: the next chunk of a fan-out, so that other workspaces get in between. Concerned is every target
 * that any of the filters names.
 */
export const ContinueFanOut = Schema.Struct({
  /** Every present target of the workspace. */
  everything: Schema.optionalKey(Schema.Boolean),
  resourceIds: Schema.optionalKey(ids),
  deploymentIds: Schema.optionalKey(ids),
  environmentIds: Schema.optionalKey(ids),
  /** Those that joined or left in the batch of this time, epoch milliseconds. */
  movedAt: Schema.optionalKey(Schema.Int),
  /** Those that wait on one of these wait subjects. */
  subjects: Schema.optionalKey(ids),
  /** Chunks go in the order of the target keys. */
  afterKey: Schema.String,
  reason: Schema.String,
})
export type ContinueFanOut = typeof ContinueFanOut.Type

export const plannerMessages = { CatalogChanged, ContinueFanOut } as const
