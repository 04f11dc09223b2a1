/** Users and their API keys. A key is found by its prefix; only the SHA-256 of its secret is kept. */
import type { StorageError, Tx } from "@sluice/actor/ports"
import type { UserId, WorkspaceId } from "@sluice/domain/ids"
import { and, eq, gt, isNull, or, sql } from "drizzle-orm"
import { Effect } from "effect"
import { apiKey, userAccount, workspaceMember } from "./schema.ts"
import { within } from "./storage.ts"

export interface KeyRow {
  readonly userId: UserId
  readonly secretHash: string
}

/** A key that is neither revoked nor past its end. */
export const findKey = (tx: Tx, prefix: string): Effect.Effect<KeyRow | undefined, StorageError> =>
  within(tx, db =>
    db
      .select({ userId: apiKey.userId, secretHash: apiKey.secretHash })
      .from(apiKey)
      .where(
        and(
          eq(apiKey.prefix, prefix),
          isNull(apiKey.revokedAt),
          or(isNull(apiKey.expiresAt), gt(apiKey.expiresAt, sql`now()`)),
        ),
      ),
  ).pipe(Effect.map(rows => rows[0]))

export interface NewUser {
  readonly id: UserId
  readonly name: string
  readonly email?: string
}
export const insertUser = (tx: Tx, user: NewUser): Effect.Effect<void, StorageError> =>
  within(tx, async db => void (await db.insert(userAccount).values(user)))

export interface NewKey {
  readonly prefix: string
  /** SHA-256 of the secret, hex. */
  readonly secretHash: string
  readonly userId: UserId
  readonly name: string
}
export const insertKey = (tx: Tx, key: NewKey): Effect.Effect<void, StorageError> =>
  within(tx, async db => void (await db.insert(apiKey).values(key)))

export interface Membership {
  readonly workspaceId: WorkspaceId
  readonly userId: UserId
  readonly role: "admin" | "member"
}
/** Being a member already keeps the role there is. */
export const insertMember = (tx: Tx, membership: Membership): Effect.Effect<void, StorageError> =>
  within(tx, async db => void (await db.insert(workspaceMember).values(membership).onConflictDoNothing()))
