/**
 * What a new installation starts with: one workspace and its admin, whose key the caller made and keeps. Also how the
 * demonstration makes further workspaces and users; there is no HTTP call for users and keys yet.
 */
import { Storage, type StorageError, type Tx } from "@sluice/actor/ports"
import type { UserId, WorkspaceId } from "@sluice/domain/ids"
import { findKey, insertKey, insertMember, insertUser } from "@sluice/store/users"
import { findAnyWorkspace, insertWorkspaceIfAbsent } from "@sluice/store/workspaces"
import { Effect } from "effect"
import { secretHash, splitKey } from "./authenticate.ts"
import { freshId } from "./fresh-id.ts"

export interface FirstWorkspace {
  readonly slug: string
  readonly name?: string
  /** `<16 hex>.<64 hex>`. */
  readonly key: string
  readonly userName?: string
}

/** Creates workspace, admin and key when there is no workspace at all; says whether it did. */
export const bootstrap = Effect.fnUntraced(function* (
  first: FirstWorkspace,
): Effect.fn.Return<boolean, StorageError, Storage> {
  const storage = yield* Storage
  return yield* storage.transaction("read committed", tx =>
    Effect.gen(function* () {
      // Of several processes that start at once on an empty database one does it; the others wait here and see.
      yield* tx.query("LOCK TABLE workspace IN SHARE ROW EXCLUSIVE MODE")
      if ((yield* tx.query("SELECT 1 FROM workspace LIMIT 1")).length > 0) return false
      const workspaceId = yield* addWorkspace(tx, { slug: first.slug, name: first.name ?? first.slug })
      yield* addUser(tx, { workspaceId, name: first.userName ?? "admin", role: "admin", key: first.key })
      return true
    }),
  )
})

/** The workspace's id, whether it is new or was there. */
export const ensureWorkspace = Effect.fnUntraced(function* (workspace: {
  readonly slug: string
  readonly name: string
}): Effect.fn.Return<WorkspaceId, StorageError, Storage> {
  const storage = yield* Storage
  return yield* storage.transaction("read committed", tx => addWorkspace(tx, workspace))
})

export interface NewUser {
  readonly workspaceId: WorkspaceId
  readonly name: string
  readonly role: "admin" | "member"
  readonly key: string
}

/** The user of the key, a member of the workspace from now on; a new user when the key is new. */
export const ensureUser = Effect.fnUntraced(function* (user: NewUser): Effect.fn.Return<UserId, StorageError, Storage> {
  const storage = yield* Storage
  return yield* storage.transaction("read committed", tx => addUser(tx, user))
})

const addWorkspace = Effect.fnUntraced(function* (
  tx: Tx,
  workspace: { readonly slug: string; readonly name: string },
): Effect.fn.Return<WorkspaceId, StorageError> {
  const id = (yield* freshId) as WorkspaceId
  if (yield* insertWorkspaceIfAbsent(tx, { id, ...workspace })) return id
  return (yield* findAnyWorkspace(tx, { slug: workspace.slug }))?.id ?? id
})

const addUser = Effect.fnUntraced(function* (tx: Tx, user: NewUser): Effect.fn.Return<UserId, StorageError> {
  const { prefix, secret } = splitKey(user.key) ?? { prefix: user.key, secret: "" }
  const known = yield* findKey(tx, prefix)
  const userId = known?.userId ?? ((yield* freshId) as UserId)
  if (known === undefined) {
    yield* insertUser(tx, { id: userId, name: user.name })
    yield* insertKey(tx, { prefix, secretHash: secretHash(secret), userId, name: `${user.name}'s first key` })
  }
  yield* insertMember(tx, { workspaceId: user.workspaceId, userId, role: user.role })
  return userId
})
