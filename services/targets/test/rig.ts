/**
 * Target actors on real tables, one input at a time in a transaction of its own: facts and projections are the real ones,
 * mailboxes, timers and the wake activity are plain sight, and time moves only when a test moves it.
 */
import type { ActorEffect, Input } from "@sluice/actor/definition"
import { derivedId } from "@sluice/actor/ids"
import { Storage } from "@sluice/actor/ports"
import type { TerminalJobStatus } from "@sluice/domain/job-status"
import type { WakeWaiting } from "@sluice/protocol/activities"
import type { StartJobs } from "@sluice/protocol/job"
import type { StartVerification } from "@sluice/protocol/verification"
import { targetsWaitingOn } from "@sluice/store/waits"
import { Effect } from "effect"
import { targetKind } from "../src/definition.ts"
import type { TargetEvent } from "../src/events.ts"
import { activeJobSet, type TargetState } from "../src/state.ts"
import type { TargetMessage } from "../src/transitions.ts"

interface Waiting {
  readonly key: string
  readonly input: Input<TargetMessage>
}

/** One input leads to a handful; a story that needs more is going round in circles. */
const inputsMax = 5_000

export class Rig {
  now = 1_800_000_000_000
  readonly workspaceId: string
  readonly states = new Map<string, TargetState>()
  readonly timers = new Map<string, Map<string, number>>()
  readonly events: Array<{ readonly key: string; readonly event: TargetEvent }> = []
  readonly effects: Array<{ readonly key: string; readonly effect: ActorEffect }> = []
  /** Ordered and not yet ended, by target. */
  readonly jobs = new Map<string, StartJobs>()
  readonly verifications = new Map<string, StartVerification>()
  /** Runs once, between the next reading of facts and its commit: what happens elsewhere in that moment. */
  meanwhile: Effect.Effect<unknown, unknown, Storage> = Effect.void
  readonly #queue: Array<Waiting> = []
  #inputs = 0
  #ids = 0

  constructor(workspaceId: string) {
    this.workspaceId = workspaceId
  }

  send(key: string, message: TargetMessage): void {
    this.#queue.push({ key, input: { _tag: "Message", id: this.freshId(), message } })
  }

  look(...keys: ReadonlyArray<string>): void {
    for (const key of keys) this.send(key, { type: "Reconcile", body: { reason: "test" } })
  }

  freshId(): string {
    return derivedId(this.now, `rig-${this.workspaceId}-${this.#ids++}`)
  }

  /** Everything that is due now, until nothing is. */
  readonly run = Effect.fnUntraced(function* (this: Rig) {
    for (;;) {
      const next = this.#queue.shift() ?? this.#dueTimer()
      if (next === undefined) return
      if (++this.#inputs > inputsMax) return yield* Effect.die(new Error("the story goes round in circles"))
      yield* this.#handle(next)
    }
  })

  /** Lets time pass, timer by timer. */
  readonly pass = Effect.fnUntraced(function* (this: Rig, milliseconds: number) {
    const until = this.now + milliseconds
    for (;;) {
      yield* this.run()
      const due = [...this.timers.values()].flatMap(timers => [...timers.values()])
      const next = Math.min(...due, Number.POSITIVE_INFINITY)
      if (next > until) break
      this.now = Math.max(this.now, next)
    }
    this.now = until
  })

  /** The job set of a target ends; what follows is run. */
  readonly end = Effect.fnUntraced(function* (this: Rig, key: string, outcome: TerminalJobStatus = "successful") {
    const jobSetId = activeJobSet(this.states.get(key) as TargetState)
    if (jobSetId === undefined) return yield* Effect.die(new Error(`${key} has no job`))
    this.jobs.delete(key)
    this.send(key, { type: "JobSettled", body: { jobSetId, outcome, jobIds: [this.freshId()], at: this.now } })
    yield* this.run()
  })

  readonly conclude = Effect.fnUntraced(function* (this: Rig, key: string, status: "passed" | "failed") {
    const verification = this.verifications.get(key)
    if (verification === undefined) return yield* Effect.die(new Error(`${key} is not being verified`))
    this.verifications.delete(key)
    const { verificationId } = verification
    const message = status === "failed" ? "errorRate is 0.3" : "ok"
    this.send(key, { type: "VerificationConcluded", body: { verificationId, status, message, at: this.now } })
    yield* this.run()
  })

  published(type: string): ReadonlyArray<{ readonly key: string; readonly data: Record<string, unknown> }> {
    return this.effects.flatMap(({ key, effect }) =>
      effect._tag === "Publish" && effect.event.type === type
        ? [{ key, data: effect.event.data as Record<string, unknown> }]
        : [],
    )
  }

  #dueTimer(): Waiting | undefined {
    for (const [key, timers] of this.timers) {
      for (const [name, dueAt] of timers) {
        if (dueAt > this.now) continue
        timers.delete(name)
        return { key, input: { _tag: "Timer", name, payload: {} } }
      }
    }
    return undefined
  }

  readonly #handle = Effect.fnUntraced(function* (this: Rig, { key, input }: Waiting) {
    const storage = yield* Storage
    const before = this.states.get(key)
    const { workspaceId, now } = this
    const fresh = () => this.freshId()
    const { meanwhile } = this
    this.meanwhile = Effect.void
    const done = yield* storage.transaction("repeatable read", tx =>
      Effect.gen(function* () {
        const facts = (yield* targetKind.facts(tx, [{ key, workspaceId, state: before, inputs: [input] }], now)).get(
          key,
        )
        yield* Effect.orDie(Effect.provideService(meanwhile, Storage, storage))
        const moment = { workspaceId, key, now, id: () => fresh() }
        const decision = targetKind.decide(before, input, facts, moment)
        if (decision._tag === "Refused") return { refused: decision.reason, effects: [], events: [], state: before }
        let state = before
        const effects: Array<ActorEffect> = []
        for (const event of decision.events) {
          state = targetKind.evolve(state, event, moment)
          effects.push(...targetKind.react(state, event, moment))
        }
        const rows = Map.groupBy(
          effects.filter(effect => effect._tag === "Project"),
          effect => effect.projection,
        )
        for (const [name, list] of rows) {
          yield* targetKind.projections[name]?.(
            tx,
            list.map(effect => effect.row),
            now,
          ) ?? Effect.die(new Error(`no projection ${name}`))
        }
        return { refused: undefined, effects, events: decision.events, state }
      }),
    )
    if (done.state !== undefined) this.states.set(key, JSON.parse(JSON.stringify(done.state)) as TargetState)
    for (const event of done.events) this.events.push({ key, event })
    for (const effect of done.effects) yield* this.#carryOut(key, effect)
  })

  readonly #carryOut = Effect.fnUntraced(function* (this: Rig, key: string, effect: ActorEffect) {
    this.effects.push({ key, effect })
    const timers = this.timers.get(key) ?? new Map<string, number>()
    this.timers.set(key, timers)
    if (effect._tag === "SetTimer") timers.set(effect.name, effect.dueAt)
    if (effect._tag === "CancelTimer") timers.delete(effect.name)
    if (effect._tag === "Send" && effect.type === "StartJobs") {
      if (this.jobs.has(key)) return yield* Effect.die(new Error("P1: a second job set"))
      this.jobs.set(key, effect.body as StartJobs)
    }
    if (effect._tag === "Send" && effect.type === "StartVerification") {
      this.verifications.set(key, effect.body as StartVerification)
    }
    if (effect._tag === "Send" && effect.type === "AbandonVerification") this.verifications.delete(key)
    if (effect._tag === "Activity") {
      const storage = yield* Storage
      const { subjects } = effect.payload as WakeWaiting
      const tx = { query: storage.query }
      this.look(...(yield* targetsWaitingOn(tx, this.workspaceId, subjects, "", 1_000)))
    }
  })
}
