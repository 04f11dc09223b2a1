/** Policies: bodies are validated and then kept as they were sent, so that Terraform sees no drift. */
import { ruleBodies } from "@sluice/domain/policy"
import { Schema } from "effect"
import type { Codec } from "effect/Schema"
import { Metadata, optional, PageQuery, page, Text } from "./common.ts"
import { operation, W } from "./operation.ts"

const optionalBodies = Object.fromEntries(
  Object.entries(ruleBodies).map(([kind, body]) => [kind, optional(body as Codec<unknown>)]),
) as unknown as { readonly [K in keyof typeof ruleBodies]: Schema.optionalKey<(typeof ruleBodies)[K]> }

/** Several kinds in one rule are legal, and none too. `policyId` in a body may be wrong; the path decides. */
export const SentRule = Schema.Struct({
  id: optional(Text),
  createdAt: optional(Text),
  policyId: optional(Text),
  ...optionalBodies,
})
export type SentRule = typeof SentRule.Type
const Rule = Schema.Struct({ ...optionalBodies, id: Text, policyId: Text, createdAt: Text })
export type Rule = typeof Rule.Type

export const Policy = Schema.Struct({
  id: Text,
  workspaceId: Text,
  name: Text,
  description: optional(Text),
  selector: Text,
  enabled: Schema.Boolean,
  priority: Schema.Int,
  metadata: Metadata,
  rules: Schema.Array(Rule),
  createdAt: Text,
})
export type Policy = typeof Policy.Type

const one = `${W}/policies/{policyId}` as const
const tag = "policies"
const fields = {
  name: Text,
  description: optional(Text),
  selector: optional(Text),
  enabled: optional(Schema.Boolean),
  priority: optional(Schema.Int),
  metadata: optional(Metadata),
  rules: optional(Schema.Array(SentRule)),
} as const

export const listPolicies = operation({
  id: "listPolicies",
  summary: "Policies",
  tag,
  method: "GET",
  path: `${W}/policies`,
  query: PageQuery,
  success: page(Policy),
})
export const createPolicy = operation({
  id: "requestPolicyCreation",
  summary: "Create a policy; every rule gets a fresh id",
  tag,
  method: "POST",
  path: `${W}/policies`,
  body: Schema.Struct(fields),
  status: 202,
  success: Policy,
})
export const getPolicy = operation({
  id: "getPolicy",
  summary: "A policy with its rules",
  tag,
  method: "GET",
  path: one,
  success: Policy,
  errors: [404],
})
export const upsertPolicy = operation({
  id: "requestPolicyUpsert",
  summary: "Create or replace a policy; ids and createdAt of rules are kept verbatim",
  tag,
  method: "PUT",
  path: one,
  body: Schema.Struct({
    ...fields,
    selector: Text,
    enabled: Schema.Boolean,
    priority: Schema.Int,
    metadata: Metadata,
    rules: Schema.Array(SentRule),
  }),
  status: 202,
  success: Policy,
  errors: [409],
})
export const deletePolicy = operation({
  id: "requestPolicyDeletion",
  summary: "Delete a policy",
  tag,
  method: "DELETE",
  path: one,
  status: 202,
  success: Policy,
  errors: [404],
})
