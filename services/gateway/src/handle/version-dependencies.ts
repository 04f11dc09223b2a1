/** What a version needs of other deployments. Kept on the version, so that whoever reads it sees one moment. */
import { Door } from "@sluice/actor/door"
import type { StorageError, Tx } from "@sluice/actor/ports"
import { type ApiError, apiError, notFound } from "@sluice/api/error"
import type { Dependencies } from "@sluice/api/version"
import * as api from "@sluice/api/versions"
import { knownDeployments } from "@sluice/store/deployments"
import { findVersion, lockVersion, updateVersion, type VersionRow } from "@sluice/store/versions"
import { Effect } from "effect"
import { checkCel } from "../cel.ts"
import { planner } from "../messages.ts"
import { read } from "../read.ts"
import { inWorkspace, type WorkspaceCall } from "../route.ts"

type Edges = typeof Dependencies.Type

const list = inWorkspace(
  api.listDependencies,
  Effect.fnUntraced(function* ({ params: { deploymentVersionId }, workspace }) {
    const version = yield* read(tx => findVersion(tx, workspace.id, deploymentVersionId))
    if (version === undefined) return yield* notFound("version")
    return Object.entries(version.dependencies as Edges)
      .map(([dependencyDeploymentId, { versionSelector }]) => ({
        deploymentVersionId,
        dependencyDeploymentId,
        versionSelector,
      }))
      .sort((a, b) => (a.dependencyDeploymentId < b.dependencyDeploymentId ? -1 : 1))
  }),
)

interface Params {
  readonly deploymentVersionId: string
  readonly dependencyDeploymentId: string
}

const change = Effect.fnUntraced(function* (
  { params, workspace }: Pick<WorkspaceCall<Params, unknown, unknown>, "params" | "workspace">,
  work: (tx: Tx, version: VersionRow) => Effect.Effect<Edges, ApiError | StorageError>,
) {
  const door = yield* Door
  yield* door.commit(workspace.id, tx =>
    Effect.gen(function* () {
      const version = yield* lockVersion(tx, workspace.id, params.deploymentVersionId)
      if (version === undefined) return yield* notFound("version")
      yield* updateVersion(tx, workspace.id, version.id, { dependencies: yield* work(tx, version) })
      const changed = planner(workspace.id, {
        versions: [{ versionId: version.id, deploymentId: version.deploymentId }],
        reason: `dependencies of version ${version.tag} changed`,
      })
      return { value: undefined, messages: [changed] }
    }),
  )
  return { id: params.deploymentVersionId, message: "Dependencies saved" }
})

const set = inWorkspace(
  api.setDependency,
  Effect.fnUntraced(function* (call) {
    const { versionSelector } = call.body
    const needed = call.params.dependencyDeploymentId
    yield* checkCel("versionDependency", "versionSelector", versionSelector)
    return yield* change(
      call,
      Effect.fnUntraced(function* (tx, version) {
        if (needed === version.deploymentId) {
          return yield* apiError("BAD_REQUEST", "a deployment cannot depend on itself")
        }
        if (!(yield* knownDeployments(tx, call.workspace.id, [needed])).has(needed)) {
          return yield* notFound("deployment")
        }
        return { ...(version.dependencies as Edges), [needed]: { versionSelector } }
      }),
    )
  }),
)

const remove = inWorkspace(api.removeDependency, call =>
  change(
    call,
    Effect.fnUntraced(function* (_tx, { dependencies }) {
      const { [call.params.dependencyDeploymentId]: dropped, ...kept } = dependencies as Edges
      return dropped === undefined ? yield* notFound("dependency") : kept
    }),
  ),
)

export const dependencyRoutes = [list, set, remove]
