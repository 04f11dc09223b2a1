/**
 * One way for a version to come into being, whichever door it came through. Idempotent by deployment and tag: the same
 * content again is unchanged, other content under a known tag is refused, both without a trace in the catalog.
 */
import { createHash } from "node:crypto"
import type { DoorMessage } from "@sluice/actor/door"
import type { StorageError, Tx } from "@sluice/actor/ports"
import { type ApiError, apiError, notFound } from "@sluice/api/error"
import type { WorkspaceId } from "@sluice/domain/ids"
import { canonicalJson, type JsonObject, type Metadata } from "@sluice/domain/json"
import type { VersionStatus } from "@sluice/domain/version"
import { knownDeployments } from "@sluice/store/deployments"
import { findVersionByTag, insertVersion, type VersionRow } from "@sluice/store/versions"
import { Effect } from "effect"
import { checkCel } from "./cel.ts"
import { happened, planner } from "./messages.ts"
import { isUuid } from "./read-request.ts"

export interface SentVersion {
  readonly tag: string
  readonly name?: string
  readonly status?: VersionStatus
  readonly config?: JsonObject
  readonly jobAgentConfig?: JsonObject
  readonly metadata?: Metadata
  readonly dependencies?: { readonly [deploymentId: string]: { readonly versionSelector: string } }
}

export interface Publication {
  /** Of the version, when it is new. */
  readonly id: string
  readonly workspaceId: WorkspaceId
  /** Exists in the workspace. */
  readonly deploymentId: string
  readonly sent: SentVersion
  /** User id, or `intake`. */
  readonly actor: string
  readonly createdBy?: string
  /** Absent: the database's time. */
  readonly createdAt?: Date
}

export interface Published {
  readonly outcome: "created" | "unchanged" | "different"
  /** The new version, or the one that has the tag. */
  readonly version: VersionRow
  readonly messages: ReadonlyArray<DoorMessage>
}

export const publishVersion = Effect.fnUntraced(function* (
  tx: Tx,
  publication: Publication,
): Effect.fn.Return<Published, ApiError | StorageError> {
  const { workspaceId, deploymentId, sent, actor } = publication
  if (sent.status === "paused") return yield* apiError("BAD_REQUEST", "a version cannot be published as paused")
  yield* checkDependencies(tx, publication)
  const content = contentOf(sent)
  const contentHash = createHash("sha256").update(canonicalJson(content)).digest("hex")
  const created = yield* insertVersion(tx, {
    id: publication.id,
    workspaceId,
    deploymentId,
    tag: sent.tag,
    ...content,
    contentHash,
    ...(publication.createdBy === undefined ? {} : { createdBy: publication.createdBy }),
    ...(publication.createdAt === undefined ? {} : { createdAt: publication.createdAt }),
  })
  if (created === undefined) {
    const version = yield* findVersionByTag(tx, deploymentId, sent.tag)
    if (version === undefined) return yield* Effect.die(new Error("a version's tag is taken by nobody"))
    return { outcome: version.contentHash === contentHash ? "unchanged" : "different", version, messages: [] }
  }
  const { id, tag, name, status, metadata } = created
  const event = yield* happened(tx, workspaceId, {
    type: "version.published",
    subject: id,
    actor,
    data: { versionId: id, deploymentId, tag, name, status, metadata },
  })
  const change = { versions: [{ versionId: id, deploymentId }], reason: `version ${tag} published` }
  return { outcome: "created", version: created, messages: [planner(workspaceId, change), event] }
})

/** What tells "the same again" from "another under this tag": defaults filled in, key order and creation time left out. */
const contentOf = (sent: SentVersion) => ({
  name: sent.name === undefined || sent.name === "" ? sent.tag : sent.name,
  status: sent.status ?? ("ready" as const),
  config: sent.config ?? {},
  jobAgentConfig: sent.jobAgentConfig ?? {},
  metadata: sent.metadata ?? {},
  dependencies: sent.dependencies ?? {},
})

const checkDependencies = Effect.fnUntraced(function* (tx: Tx, { workspaceId, deploymentId, sent }: Publication) {
  const ids = Object.keys(sent.dependencies ?? {})
  if (ids.length === 0) return
  for (const [id, { versionSelector }] of Object.entries(sent.dependencies ?? {})) {
    if (!isUuid(id)) return yield* apiError("INVALID_ID", `dependencies: ${id} is not a deployment id`)
    if (id.toLowerCase() === deploymentId) {
      return yield* apiError("BAD_REQUEST", "dependencies: a deployment cannot depend on itself")
    }
    yield* checkCel("versionDependency", `dependencies.${id}.versionSelector`, versionSelector)
  }
  const known = yield* knownDeployments(tx, workspaceId, ids)
  const unknown = ids.find(id => !known.has(id.toLowerCase()))
  if (unknown !== undefined) return yield* notFound(`deployment ${unknown}`)
})

/** The answer to a tag that exists: a CI step may treat identical content as done. */
export const duplicateTag = ({ outcome, version }: Published): ApiError =>
  apiError("DUPLICATE_TAG", `the deployment has a version with the tag ${version.tag}`, {
    versionId: version.id,
    identical: outcome === "unchanged",
  })
