/**
 * Stored policies as the rules see them. Bodies are decoded by the domain's schemas and remembered by their text, since
 * the same few policies are read with every batch. One that does not decode makes its policy `broken`, naming the rule.
 */
import type { PolicyId, RuleId } from "@sluice/domain/ids"
import { type Policy, type PolicyRule, type RuleBodies, type RuleKind, ruleBodies } from "@sluice/domain/policy"
import type { StoredPolicy } from "@sluice/store/target-facts"
import { Exit, Schema } from "effect"

export const decodePolicy = (stored: StoredPolicy): Policy => {
  const rules: Array<PolicyRule> = []
  let broken: Policy["broken"]
  for (const { id, createdAt, body } of stored.rules) {
    const decoded = decodeBody(body)
    if (decoded._tag === "Decoded") {
      rules.push({ ...decoded.bodies, id: id as RuleId, policyId: stored.id as PolicyId, createdAt })
    } else broken ??= { ruleId: id, message: decoded.message }
  }
  const { id, name, selector, priority } = stored
  return {
    id: id as PolicyId,
    name,
    selector,
    priority,
    enabled: true,
    rules,
    ...(broken === undefined ? {} : { broken }),
  }
}

type Decoded =
  | { readonly _tag: "Decoded"; readonly bodies: RuleBodies }
  | { readonly _tag: "Bad"; readonly message: string }

/** Decoded bodies kept: an installation has a few hundred rules. */
const rememberedMax = 2_000
const remembered = new Map<string, Decoded>()

const decodeBody = (body: unknown): Decoded => {
  const text = JSON.stringify(body)
  const known = remembered.get(text)
  if (known !== undefined) return known
  const decoded = decodeNow(body)
  if (remembered.size >= rememberedMax) remembered.clear()
  remembered.set(text, decoded)
  return decoded
}

/** Fields of a rule that are no kind. */
const beside: ReadonlySet<string> = new Set(["id", "policyId", "createdAt"])

const decodeNow = (body: unknown): Decoded => {
  if (typeof body !== "object" || body === null || Array.isArray(body))
    return { _tag: "Bad", message: "the rule is no object" }
  const bodies: Record<string, unknown> = {}
  for (const [kind, value] of Object.entries(body)) {
    if (beside.has(kind) || value === null || value === undefined) continue
    const decode = decoders[kind as RuleKind]
    if (decode === undefined) return { _tag: "Bad", message: `there is no rule kind "${kind}"` }
    const exit = decode(value)
    if (Exit.isFailure(exit))
      return { _tag: "Bad", message: `${kind} does not decode: ${String(exit.cause).slice(0, 300)}` }
    bodies[kind] = exit.value
  }
  return { _tag: "Decoded", bodies: bodies as RuleBodies }
}

const decoders = Object.fromEntries(
  Object.entries(ruleBodies).map(([kind, schema]) => [
    kind,
    Schema.decodeUnknownExit(schema as unknown as Schema.Codec<unknown>),
  ]),
) as Partial<Record<RuleKind, (value: unknown) => Exit.Exit<unknown, unknown>>>
