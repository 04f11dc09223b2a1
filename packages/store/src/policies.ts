/** Policies and their rules. Rule bodies, ids and `createdAt` texts are kept as they were sent. */
import type { StorageError, Tx } from "@sluice/actor/ports"
import type { PolicyId, RuleId, WorkspaceId } from "@sluice/domain/ids"
import type { JsonObject, Metadata } from "@sluice/domain/json"
import { and, asc, eq, inArray, isNull, sql } from "drizzle-orm"
import { Effect } from "effect"
import type { Listing, Window } from "./listing.ts"
import { policy, policyRule } from "./schema.ts"
import { within } from "./storage.ts"

type Row = typeof policy.$inferSelect
export type RuleRow = typeof policyRule.$inferSelect
export interface PolicyRow extends Row {
  readonly rules: ReadonlyArray<RuleRow>
}

const living = (workspaceId: WorkspaceId) => and(eq(policy.workspaceId, workspaceId), isNull(policy.deletedAt))

export const listPolicies = Effect.fnUntraced(function* (
  tx: Tx,
  workspaceId: WorkspaceId,
  window: Window,
): Effect.fn.Return<Listing<PolicyRow>, StorageError> {
  const { rows, total } = yield* within(tx, async db => ({
    rows: await db
      .select()
      .from(policy)
      .where(living(workspaceId))
      .orderBy(asc(policy.createdAt), asc(policy.id))
      .limit(window.limit)
      .offset(window.offset),
    total: await db.$count(policy, living(workspaceId)),
  }))
  return { items: yield* withRules(tx, rows), total }
})

export const findPolicy = Effect.fnUntraced(function* (
  tx: Tx,
  workspaceId: WorkspaceId,
  id: string,
): Effect.fn.Return<PolicyRow | undefined, StorageError> {
  const rows = yield* within(tx, db =>
    db
      .select()
      .from(policy)
      .where(and(living(workspaceId), eq(policy.id, id as PolicyId))),
  )
  return (yield* withRules(tx, rows))[0]
})

const withRules = Effect.fnUntraced(function* (
  tx: Tx,
  rows: ReadonlyArray<Row>,
): Effect.fn.Return<ReadonlyArray<PolicyRow>, StorageError> {
  if (rows.length === 0) return []
  const ids = rows.map(row => row.id)
  const rules = yield* within(tx, db =>
    db.select().from(policyRule).where(inArray(policyRule.policyId, ids)).orderBy(asc(policyRule.position)),
  )
  return rows.map(row => ({ ...row, rules: rules.filter(rule => rule.policyId === row.id) }))
})

export interface PolicyContent {
  readonly name: string
  readonly description: string | null
  readonly selector: string
  readonly enabled: boolean
  readonly priority: number
  readonly metadata: Metadata
  readonly rules: ReadonlyArray<NewRule>
}
export interface NewRule {
  readonly id: string
  /** Kept verbatim; absent: the time of the write. */
  readonly createdAt?: string
  readonly body: JsonObject
}

/** Creates or replaces, rules included; the policy's own `createdAt` stays. `false`: the id is another workspace's. */
export const upsertPolicy = Effect.fnUntraced(function* (
  tx: Tx,
  workspaceId: WorkspaceId,
  id: string,
  { rules, ...content }: PolicyContent,
): Effect.fn.Return<boolean, StorageError> {
  const written = yield* within(tx, db =>
    db
      .insert(policy)
      .values({ id: id as PolicyId, workspaceId, ...content })
      .onConflictDoUpdate({
        target: policy.id,
        set: { ...content, updatedAt: sql`now()`, deletedAt: null },
        setWhere: eq(policy.workspaceId, workspaceId),
      })
      .returning({ id: policy.id, updatedAt: policy.updatedAt }),
  )
  const [row] = written
  if (row === undefined) return false
  yield* tx.query("DELETE FROM policy_rule WHERE policy_id = $1", [id])
  if (rules.length === 0) return true
  yield* within(tx, db =>
    db.insert(policyRule).values(
      rules.map((rule, position) => {
        const createdAt = rule.createdAt === undefined ? Number.NaN : Date.parse(rule.createdAt)
        return {
          policyId: row.id,
          position,
          id: rule.id as RuleId,
          workspaceId,
          createdAtText: rule.createdAt ?? row.updatedAt.toISOString(),
          createdAt: Number.isNaN(createdAt) ? row.updatedAt : new Date(createdAt),
          body: rule.body,
        }
      }),
    ),
  )
  return true
})

/** `false` when there is none. The rules stay, so that history keeps its names. */
export const deletePolicy = (tx: Tx, workspaceId: WorkspaceId, id: string): Effect.Effect<boolean, StorageError> =>
  within(tx, db =>
    db
      .update(policy)
      .set({ deletedAt: sql`now()` })
      .where(and(living(workspaceId), eq(policy.id, id as PolicyId)))
      .returning({ id: policy.id }),
  ).pipe(Effect.map(rows => rows.length === 1))
