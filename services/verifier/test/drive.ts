/**
 * Runs one verification by hand: decide, evolve, react, with the timers and probe work it asked for in plain sight and
 * time that only moves when a test moves it.
 */
import type { ActorEffect, Input, Moment } from "@sluice/actor/definition"
import type { MeasurementStatus, MetricSpec } from "@sluice/domain/verification"
import type { ProbeMetric } from "@sluice/protocol/activities"
import type { VerificationConcluded } from "@sluice/protocol/target"
import { decide, type VerificationMessage } from "../src/decide.ts"
import type { VerificationEvent } from "../src/events.ts"
import { evolve } from "../src/evolve.ts"
import { react } from "../src/react.ts"
import type { VerificationState } from "../src/state.ts"

const uuid = (n: number): string => `00000000-0000-7000-8000-${String(n).padStart(12, "0")}`
export const verificationId = uuid(1)
export const workspaceId = uuid(2)
export const targetKey = `${uuid(3)}-${uuid(4)}-${uuid(5)}`

export const metric = (more: Partial<MetricSpec> = {}): MetricSpec => ({
  name: "health",
  intervalSeconds: 60,
  count: 3,
  provider: { type: "http", url: "http://127.0.0.1/health" },
  successCondition: "result.ok",
  ...more,
})

export class Drive {
  now = 1_000_000
  state: VerificationState | undefined
  readonly timers = new Map<string, number>()
  readonly events: Array<VerificationEvent> = []
  readonly effects: Array<ActorEffect> = []

  /** Returns the tags of what happened, or the reason why nothing did. */
  input(input: Input<VerificationMessage>): ReadonlyArray<string> | string {
    const moment: Moment = { workspaceId, key: verificationId, now: this.now, id: () => uuid(9) }
    const decision = decide(this.state, input, undefined, moment)
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

  tell(message: VerificationMessage) {
    return this.input({ _tag: "Message", id: uuid(8), message })
  }

  start(...metrics: ReadonlyArray<MetricSpec>) {
    const body = {
      verificationId,
      targetKey,
      jobSetId: uuid(6),
      jobIds: [uuid(7)],
      releaseId: uuid(10),
      versionId: uuid(11),
      metrics,
      context: {},
    }
    return this.tell({ type: "StartVerification", body })
  }

  answer(status: MeasurementStatus, more: { metric?: number; round?: number; measuredAt?: number } = {}) {
    const which = more.metric ?? 0
    const round = more.round ?? this.roundOf(which)
    const measuredAt = more.measuredAt ?? this.now
    return this.tell({ type: "ProbeMeasured", body: { metric: which, round, status, measuredAt } })
  }

  roundOf(which: number): number {
    const progress = this.state?._tag === "Running" ? this.state.progress[which] : undefined
    return progress?._tag === "Asked" || progress?._tag === "Waiting" ? progress.round : 0
  }

  fire(name: string) {
    const dueAt = this.timers.get(name)
    if (dueAt !== undefined) {
      this.timers.delete(name)
      this.now = Math.max(this.now, dueAt)
    }
    return this.input({ _tag: "Timer", name, payload: {} })
  }

  /** The earliest timer, if there is one. */
  fireNext() {
    const next = [...this.timers].sort((a, b) => a[1] - b[1])[0]
    return next === undefined ? undefined : this.fire(next[0])
  }

  /** Answers every probe of metric 0 in turn: P passed, F failed, I inconclusive, E provider error; stops when over. */
  play(letters: string): { readonly status: string; readonly measurements: number } {
    const statuses = { P: "passed", F: "failed", I: "inconclusive", E: "error" } as const
    let measurements = 0
    for (const letter of letters) {
      if (this.state?._tag !== "Running") break
      if (this.state.progress[0]?._tag === "Waiting") this.fire("probe-0")
      this.answer(statuses[letter as keyof typeof statuses])
      measurements += 1
    }
    return { status: this.status(), measurements }
  }

  status(): string {
    if (this.state === undefined) return "absent"
    return this.state._tag === "Concluded" ? this.state.status : "running"
  }

  get probes(): ReadonlyArray<ProbeMetric> {
    return this.effects.flatMap(effect => (effect._tag === "Activity" ? [effect.payload as ProbeMetric] : []))
  }

  get conclusions(): ReadonlyArray<VerificationConcluded> {
    return this.effects.flatMap(effect =>
      effect._tag === "Send" && effect.type === "VerificationConcluded" ? [effect.body as VerificationConcluded] : [],
    )
  }

  published(type: string) {
    return this.effects.flatMap(effect =>
      effect._tag === "Publish" && effect.event.type === type ? [effect.event] : [],
    )
  }
}

/** A verification that was just started with these metrics. */
export const started = (...metrics: ReadonlyArray<MetricSpec>): Drive => {
  const drive = new Drive()
  drive.start(...metrics)
  return drive
}
