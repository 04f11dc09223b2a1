/**
 * verification: which metrics are probed after a try succeeded. Metrics of all binding policies, by priority; of two with
 * one name the first counts. Source: semantics 3.2, 4.10.
 */
import type { MetricSpec } from "@sluice/domain/verification"
import { type Binding, rulesOf } from "./bind.ts"

/**
 * Empty: nothing to verify, a success settles at once. Whatever `triggerOn` says, probing starts after success (a
 * metric that asked to start earlier is still probed, never skipped); metrics for failed jobs are not probed.
 */
export const metricsToVerify = (binding: Binding): ReadonlyArray<MetricSpec> => {
  const byName = new Map<string, MetricSpec>()
  for (const { body } of rulesOf(binding, "verification")) {
    if (body.triggerOn === "jobFailure") continue
    for (const metric of body.metrics) if (!byName.has(metric.name)) byName.set(metric.name, metric)
  }
  return [...byName.values()]
}
