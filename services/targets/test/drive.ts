/** One target decided by hand, on facts made up in memory: what it asked for stands in plain sight. */
import type { ActorEffect, Input, Moment } from "@sluice/actor/definition"
import type { Version } from "@sluice/domain/entities"
import type { VersionStatus } from "@sluice/domain/version"
import { bind } from "@sluice/rules/bind"
import { quarantineKey, type ScopeQuarantine, type TargetSubject } from "@sluice/rules/facts"
import { decide } from "../src/decide.ts"
import type { TargetEvent } from "../src/events.ts"
import { evolve } from "../src/evolve.ts"
import { expressions } from "../src/expressions.ts"
import { decodePolicy } from "../src/policies.ts"
import { react } from "../src/react.ts"
import { activeJobSet, type TargetState } from "../src/state.ts"
import type { Found, TargetFacts } from "../src/target-facts.ts"
import type { TargetMessage } from "../src/transitions.ts"

export const uuid = (n: number): string => `00000000-0000-7000-8000-${String(n).padStart(12, "0")}`
const [workspaceId, deploymentId, environmentId, resourceId] = [uuid(1), uuid(2), uuid(3), uuid(4)]
export const targetKey = `${resourceId}-${environmentId}-${deploymentId}`

const subject = {
  key: targetKey,
  workspaceId,
  deployment: {
    id: deploymentId,
    name: "shop",
    slug: "shop",
    jobAgentSelector: "true",
    jobAgentConfig: {},
    metadata: {},
  },
  environment: {
    id: environmentId,
    workspaceId,
    name: "production",
    metadata: {},
    createdAt: "2026-01-01T00:00:00.000Z",
  },
  resource: {
    ...{ id: resourceId, workspaceId, identifier: "web", name: "web", kind: "Server", version: "1" },
    ...{ config: {}, metadata: {}, createdAt: "2026-01-01T00:00:00.000Z" },
  },
  siblings: [],
} as unknown as TargetSubject

export const healthRule = {
  verification: {
    metrics: [
      {
        ...{ name: "health", intervalSeconds: 1, count: 1, successCondition: "result.ok" },
        provider: { type: "http", url: "http://127.0.0.1" },
      },
    ],
  },
}

const versionOf = (n: number, status: VersionStatus): Version =>
  ({
    ...{
      id: uuid(100 + n),
      deploymentId,
      tag: `${n}`,
      name: `${n}`,
      status,
      config: {},
      jobAgentConfig: {},
      metadata: {},
    },
    createdAt: new Date(n * 1000).toISOString(),
  }) as unknown as Version

export class Drive {
  now = 1_000_000_000
  state: TargetState | undefined
  present = true
  incomplete: string | undefined
  readonly rules: Array<Record<string, unknown>> = []
  readonly statuses = new Map<number, VersionStatus>()
  readonly quarantined = new Map<number, ScopeQuarantine>()
  readonly timers = new Map<string, number>()
  readonly events: Array<TargetEvent> = []
  readonly effects: Array<ActorEffect> = []
  #ids = 1000

  publish(n: number, status: VersionStatus = "ready"): void {
    this.statuses.set(n, status)
  }

  facts(): TargetFacts {
    if (!this.present) return { _tag: "Absent" }
    if (this.incomplete !== undefined) return { _tag: "Incomplete", missing: this.incomplete }
    const versions = [...this.statuses]
      .map(([n, status]) => versionOf(n, status))
      .sort((a, b) => (a.id < b.id ? 1 : -1))
    const rules = this.rules.map((body, i) => ({ id: `${i}`, createdAt: 0, body }))
    const policy = decodePolicy({ id: uuid(5), workspaceId, name: "p", selector: "true", priority: 0, rules })
    const quarantines = new Map(
      [...this.quarantined].map(([n, quarantine]) => {
        const versionId = uuid(100 + n) as Version["id"]
        const key = { versionId, deploymentId, environmentId } as Parameters<typeof quarantineKey>[0]
        return [quarantineKey(key), quarantine]
      }),
    )
    const found: Found = {
      _tag: "Found",
      subject,
      binding: bind([policy], subject, expressions),
      candidates: {
        newest: versions.map(version => ({ version, createdAt: Date.parse(version.createdAt), dependsOn: [] })),
        more: false,
      },
      rules: { approvals: new Map(), progressions: new Map(), rollouts: new Map(), quarantines },
      versions: new Map(versions.map(version => [version.id as string, version])),
      failures: new Map(),
      releases: new Map(),
    }
    return found
  }

  /** Tags of what happened, or the reason why nothing did. */
  input(input: Input<TargetMessage>): ReadonlyArray<string> | string {
    const moment: Moment = { workspaceId, key: targetKey, now: this.now, id: () => uuid(this.#ids++) }
    const decision = decide(this.state, input, this.facts(), moment)
    if (decision._tag === "Refused") return decision.reason
    for (const event of decision.events) {
      this.state = evolve(this.state, event, moment)
      this.events.push(event)
      for (const effect of react(this.state, event, moment)) {
        this.effects.push(effect)
        if (effect._tag === "SetTimer") this.timers.set(effect.name, effect.dueAt)
        if (effect._tag === "CancelTimer") this.timers.delete(effect.name)
      }
    }
    return decision.events.map(event => event._tag)
  }

  tell(message: TargetMessage): ReadonlyArray<string> | string {
    return this.input({ _tag: "Message", id: "m", message })
  }

  look(): ReadonlyArray<string> | string {
    return this.tell({ type: "Reconcile", body: { reason: "test" } })
  }

  fire(name: string): ReadonlyArray<string> | string | undefined {
    const dueAt = this.timers.get(name)
    if (dueAt === undefined) return undefined
    this.timers.delete(name)
    this.now = Math.max(this.now, dueAt)
    return this.input({ _tag: "Timer", name, payload: {} })
  }

  end(outcome: "successful" | "failure" | "cancelled" = "successful"): ReadonlyArray<string> | string {
    const jobSetId = this.state === undefined ? undefined : activeJobSet(this.state)
    const body = { jobSetId: jobSetId ?? uuid(0), outcome, jobIds: [uuid(9)], at: this.now }
    return this.tell({ type: "JobSettled", body })
  }

  conclude(status: "passed" | "failed"): ReadonlyArray<string> | string {
    const phase = this.state?.phase
    const check = phase !== undefined && "check" in phase ? phase.check : undefined
    const verificationId = check?._tag === "Running" ? check.verificationId : uuid(0)
    return this.tell({ type: "VerificationConcluded", body: { verificationId, status, message: "m", at: this.now } })
  }
}
