/** What a policy rule's schema cannot say: that its expressions and templates compile, and that its numbers go together. */
import { type ApiError, apiError } from "@sluice/api/error"
import type { SentRule } from "@sluice/api/policies"
import { compile } from "@sluice/templates/template"
import { Effect } from "effect"
import { checkCel } from "./cel.ts"

/** `field` says where in the body the rule stands. */
export const checkRule = Effect.fnUntraced(function* (rule: SentRule, field: string): Effect.fn.Return<void, ApiError> {
  yield* checkCel("versionSelector", `${field}.versionSelector.selector`, rule.versionSelector?.selector)
  yield* checkCel(
    "environmentSelector",
    `${field}.environmentProgression.dependsOnEnvironmentSelector`,
    rule.environmentProgression?.dependsOnEnvironmentSelector,
  )
  yield* checkCel(
    "deploymentDependency",
    `${field}.deploymentDependency.dependsOn`,
    rule.deploymentDependency?.dependsOn,
  )
  yield* checkCel("policySelector", `${field}.concurrency.groupBy`, rule.concurrency?.groupBy)
  for (const [index, metric] of (rule.verification?.metrics ?? []).entries()) {
    yield* checkMetric(metric, `${field}.verification.metrics.${index}`)
  }
  const rollout = rule.gradualRollout
  if (rollout !== undefined && rollout.rolloutType !== "verified" && rollout.timeScaleInterval === undefined) {
    return yield* apiError("BAD_REQUEST", `${field}.gradualRollout.timeScaleInterval: a clock-driven rollout needs it`)
  }
  const shares = [...(rollout?.waves ?? []), rule.concurrency?.maxActive]
  const tooMuch = shares.find(share => typeof share === "string" && Number.parseInt(share, 10) > 100)
  if (tooMuch !== undefined) return yield* apiError("BAD_REQUEST", `${field}: ${tooMuch} is more than all of them`)
})

type Metric = NonNullable<SentRule["verification"]>["metrics"][number]

/** Conditions that are templates first can be compiled only when they are rendered; as templates they can be read now. */
const checkMetric = Effect.fnUntraced(function* (metric: Metric, field: string) {
  for (const name of ["successCondition", "failureCondition"] as const) {
    const text = metric[name]
    if (text === undefined) continue
    yield* checkTemplate(`${field}.${name}`, text)
    if (!text.includes("{{")) yield* checkCel("verificationCondition", `${field}.${name}`, text)
  }
  const { provider } = metric
  if (provider.type !== "http") return
  yield* checkTemplate(`${field}.provider.url`, provider.url)
  yield* checkTemplate(`${field}.provider.body`, provider.body)
  for (const [name, text] of Object.entries(provider.headers ?? {})) {
    yield* checkTemplate(`${field}.provider.headers.${name}`, text)
  }
  if (provider.timeout !== undefined && !duration.test(provider.timeout)) {
    return yield* apiError("BAD_REQUEST", `${field}.provider.timeout: not a duration such as 10s or 1m30s`)
  }
})

/** Go's duration text, not negative. */
const duration = /^(0|(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$/

const checkTemplate = (field: string, text: string | undefined): Effect.Effect<void, ApiError> => {
  if (text === undefined) return Effect.void
  const compiled = compile(text)
  if (compiled.ok) return Effect.void
  const { message, line, column } = compiled
  return Effect.fail(apiError("BAD_REQUEST", `${field}: ${message}`, { field, position: { line, column } }))
}
