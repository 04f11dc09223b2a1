/**
 * From a public event to the line that tells it: time, target, what happened, why. Only what moves the story gets a line;
 * what holds many targets of an environment for the same reason is told once.
 */
import type { PublicEvent } from "@sluice/api/events"
import { Result, Schema } from "effect"
import { orderOf } from "./outcome.ts"
import type { Target, World } from "./world.ts"

export interface Narrator {
  /** The line for an event; undefined for events that are not told. */
  readonly lineOf: (event: PublicEvent) => string | undefined
}

const whereWidth = 23
const whatWidth = 22

export const line = (at: string, where: string, what: string, why = ""): string =>
  `${at.slice(11, 23)}  ${where.padEnd(whereWidth)}  ${what.padEnd(whatWidth)}  ${why}`.trimEnd()

export const makeNarrator = (world: World): Narrator => {
  const targets = new Map<string, Target>(world.targets.map(target => [target.key, target]))
  const deployments = new Map(Object.entries(world.deploymentIds).map(([name, id]) => [id, name]))
  const environments = new Map(Object.entries(world.environmentIds).map(([name, id]) => [id, name]))
  /** By environment: the reasons its targets were last said to wait for. */
  const told = new Map<string, string>()
  /** By target: what its last probe came to. */
  const probed = new Map<string, string>()

  /** Every rule allows: what that means here. */
  const turnOf = (target: Target | undefined, { tag, versionId }: typeof EventData.Type): string => {
    if (target?.environment !== "production") return "nothing holds it in staging"
    if (target.deployment !== "storefront" || typeof versionId !== "string") return "verified on all of staging"
    const order = orderOf(world.targets, versionId)
    return `position ${order.indexOf(target.key) + 1} of ${order.length} in the order of ${tag}`
  }

  const lineOf = (event: PublicEvent): string | undefined => {
    const data = readData(event.data)
    const tag = data.tag ?? ""
    const target = targets.get(data.targetKey ?? event.subject)
    const deployment = deployments.get(data.deploymentId ?? "") ?? "shop"
    const environment = environments.get(data.environmentId ?? data.environmentIds?.[0] ?? "")
    const where =
      target === undefined
        ? [deployment, environment].filter(name => name !== undefined).join(" ")
        : `${target.deployment} ${target.resource}`
    const tell = (what: string, why = data.reason ?? data.message ?? "") => line(event.at, where, what, why)
    switch (event.type) {
      case "version.published":
        return tell(`${tag} published`, publishedWhy(data))
      case "version.refused":
        return tell("version refused")
      case "approval.recorded":
        return tell(`${tag} ${data.status ?? "approved"}`)
      case "target.waiting": {
        if (target === undefined) return undefined
        // A place in the rollout is the target's own affair, everything else holds the whole environment.
        const shared = data.rule !== "gradualRollout"
        const key = shared ? `${target.deployment} ${target.environment}` : target.key
        const reason = data.reason ?? ""
        if (told.get(key) === reason) return undefined
        told.set(key, reason)
        return line(event.at, shared ? `${target.deployment} ${target.environment}` : where, `${tag} waits`, reason)
      }
      case "target.deploying":
        return tell(
          `deploying ${tag}`,
          data.reason === `${tag} is desired` ? turnOf(target, data) : (data.reason ?? ""),
        )
      case "target.confirmed":
        return tell(
          `${tag} confirmed`,
          data.verified === false ? "deployed; nothing asks for a check" : "both probes passed",
        )
      case "target.failed":
        return tell(`${tag} failed`)
      case "rollout.halted":
        return tell(`${tag} rollout halted`)
      case "version.quarantined":
        return tell(`${tag} quarantined`)
      case "target.rollingBack":
        return tell(`returning to ${tag}`)
      case "target.rolledBack":
        return tell(`returned to ${tag}`, data.verified === true ? "both probes passed again" : "")
      case "target.held":
        return tell("held for a person")
      case "verification.measured": {
        // A site that is away is asked again every second; once is enough to know.
        const said = `${data.status ?? "failed"} ${data.message ?? ""}`
        const known = probed.get(where)
        probed.set(where, said)
        return data.status === "passed" || known === said ? undefined : tell(`probe ${data.status ?? "failed"}`)
      }
      default:
        return undefined
    }
  }
  return { lineOf }
}

const Text = Schema.optionalKey(Schema.NullOr(Schema.String))
const EventData = Schema.Struct({
  targetKey: Text,
  versionId: Text,
  deploymentId: Text,
  environmentId: Text,
  environmentIds: Schema.optionalKey(Schema.Array(Schema.String)),
  tag: Text,
  status: Text,
  reason: Text,
  message: Text,
  verified: Schema.optionalKey(Schema.Boolean),
  metadata: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  rule: Text,
})

/** What of an event's data is told; a field that is not as expected is left out of the story, not an end of it. */
const readData = (data: PublicEvent["data"]) => {
  const decoded = Schema.decodeUnknownResult(EventData)(data as unknown)
  return Result.isSuccess(decoded) ? decoded.success : {}
}

const publishedWhy = (data: { readonly metadata?: Readonly<Record<string, string>> }): string => {
  const commit = data.metadata?.["git/commit"]
  return commit === undefined
    ? ""
    : `commit ${commit.slice(0, 7)} of ${data.metadata?.["git/branch"] ?? "an unnamed branch"}`
}
