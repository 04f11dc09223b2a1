/** Policies. A change can stop what is about to start, so it leaves its mark on the workspace's stop row. */
import { Door } from "@sluice/actor/door"
import type { Tx } from "@sluice/actor/ports"
import { rangeOf } from "@sluice/api/common"
import { apiError, notFound } from "@sluice/api/error"
import * as api from "@sluice/api/policies"
import type { WorkspaceId } from "@sluice/domain/ids"
import type { JsonObject } from "@sluice/domain/json"
import { ruleKinds } from "@sluice/domain/policy"
import { stopGuard } from "@sluice/rules/stop-guard"
import { bumpGuard } from "@sluice/store/door-writes"
import { deletePolicy, findPolicy, listPolicies, type NewRule, upsertPolicy } from "@sluice/store/policies"
import { Effect } from "effect"
import { checkCel } from "../cel.ts"
import { checkRule } from "../check-rule.ts"
import { freshId } from "../fresh-id.ts"
import { catalogChanged } from "../messages.ts"
import { pageOf, read } from "../read.ts"
import { present, renderPolicy } from "../render.ts"
import { inWorkspace, type WorkspaceCall, type WorkspaceCallOf } from "../route.ts"

const list = inWorkspace(api.listPolicies, ({ query, workspace }) => {
  const window = rangeOf(query)
  return Effect.map(
    read(tx => listPolicies(tx, workspace.id, window)),
    rows => pageOf(rows, window, renderPolicy),
  )
})

const get = inWorkspace(
  api.getPolicy,
  Effect.fnUntraced(function* ({ params, workspace }) {
    const row = yield* read(tx => findPolicy(tx, workspace.id, params.policyId))
    return row === undefined ? yield* notFound("policy") : renderPolicy(row)
  }),
)

type Body = WorkspaceCallOf<typeof api.createPolicy>["body"]
type SaveCall = Pick<WorkspaceCall<never, never, Body>, "workspace" | "userId" | "body">

const save = Effect.fnUntraced(function* ({ workspace, userId, body }: SaveCall, id: string, rules: Rules) {
  yield* checkCel("policySelector", "selector", body.selector)
  for (const [index, rule] of (body.rules ?? []).entries()) yield* checkRule(rule, `rules.${index}`)
  const door = yield* Door
  const { value } = yield* door.commit(workspace.id, tx =>
    Effect.gen(function* () {
      const written = yield* upsertPolicy(tx, workspace.id, id, {
        name: body.name,
        description: body.description ?? null,
        selector: body.selector ?? "true",
        enabled: body.enabled ?? true,
        priority: body.priority ?? 0,
        metadata: body.metadata ?? {},
        rules,
      })
      if (!written) return yield* apiError("ID_IN_USE", "the id is in use elsewhere")
      const messages = yield* policyChanged(tx, workspace.id, userId, id, `policy ${body.name} saved`)
      return { value: yield* findPolicy(tx, workspace.id, id), messages }
    }),
  )
  return value === undefined ? yield* notFound("policy") : renderPolicy(value)
})

type Rules = ReadonlyArray<NewRule>
/** The kinds as they were sent, defaults not filled in. Keys that are no kind of rule are dropped. */
const bodyOf = (rule: api.SentRule): JsonObject => {
  const kinds = Object.fromEntries(ruleKinds.map(kind => [kind, rule[kind]]))
  return present(kinds) as JsonObject
}

const create = inWorkspace(
  api.createPolicy,
  Effect.fnUntraced(function* (call) {
    const rules: Array<NewRule> = []
    for (const rule of call.body.rules ?? []) rules.push({ id: yield* freshId, body: bodyOf(rule) })
    return yield* save(call, yield* freshId, rules)
  }),
)

const upsert = inWorkspace(
  api.upsertPolicy,
  Effect.fnUntraced(function* (call) {
    const rules: Array<NewRule> = []
    for (const rule of call.body.rules) {
      rules.push({
        id: rule.id === undefined || rule.id === "" ? yield* freshId : rule.id,
        ...present({ createdAt: rule.createdAt === "" ? undefined : rule.createdAt }),
        body: bodyOf(rule),
      })
    }
    return yield* save(call, call.params.policyId, rules)
  }),
)

const remove = inWorkspace(
  api.deletePolicy,
  Effect.fnUntraced(function* ({ params: { policyId }, workspace, userId }) {
    const door = yield* Door
    const { value } = yield* door.commit(workspace.id, tx =>
      Effect.gen(function* () {
        const row = yield* findPolicy(tx, workspace.id, policyId)
        if (row === undefined || !(yield* deletePolicy(tx, workspace.id, policyId))) return yield* notFound("policy")
        const messages = yield* policyChanged(tx, workspace.id, userId, policyId, `policy ${row.name} deleted`)
        return { value: row, messages }
      }),
    )
    return { ...renderPolicy(value), rules: [] }
  }),
)

const policyChanged = (tx: Tx, workspaceId: WorkspaceId, userId: string, id: string, reason: string) =>
  Effect.andThen(
    bumpGuard(tx, stopGuard(workspaceId)),
    catalogChanged(tx, workspaceId, userId, { policies: [id], reason }),
  )

export const policyRoutes = [list, create, get, upsert, remove]
