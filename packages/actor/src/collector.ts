/**
 * Gathers what one batch will write: states, journal, timers, outbox with channel numbers, activities, receipts, guards.
 * Pure bookkeeping; both the document loop and the set-based one fill it.
 */
import type { ActivityWork } from "@sluice/protocol/activities"
import type { ActorKindName, Envelope } from "@sluice/protocol/envelope"
import { messageSchemaVersion } from "@sluice/protocol/envelope"
import { partitionOf } from "@sluice/protocol/partition"
import type { ActorEffect } from "./definition.ts"
import { type BatchInput, journalRow } from "./input.ts"
import type { BatchHead, BatchWrites, DueTimer, JournalOutcome, PartitionId, StoredState } from "./partition-store.ts"
import { channelOf, destinationOf } from "./partition-store.ts"

export interface Placement {
  readonly at: PartitionId
  readonly partitions: number
  readonly incarnation: number
}

/** Numbers and wraps messages of one source in one commit; shared by partitions and doors. */
export class Numbering {
  readonly outbox: Array<Envelope> = []
  readonly #drawn: Map<string, { kind: ActorKindName; partition: number; drawn: number }> = new Map()
  readonly #placement: Placement
  readonly #head: Pick<BatchHead, "now" | "drawn">

  constructor(placement: Placement, head: Pick<BatchHead, "now" | "drawn">) {
    this.#placement = placement
    this.#head = head
  }

  send(
    message: { kind: ActorKindName; workspaceId: string; key: string; type: string; body: unknown; receipt?: boolean },
    cause: { readonly correlationId: string; readonly causationId?: string },
  ): Envelope {
    const { at, partitions, incarnation } = this.#placement
    const partition = partitionOf(message.key, partitions)
    const destination = destinationOf(message.kind, partition)
    const drawn = this.#drawn.get(destination) ?? {
      kind: message.kind,
      partition,
      drawn: this.#head.drawn.get(destination) ?? 0,
    }
    const number = drawn.drawn + 1
    const envelope: Envelope = {
      id: `${at.kind}-${at.partition}-${incarnation}-${message.kind}-${partition}-${number}`,
      schemaVersion: messageSchemaVersion,
      source: { kind: at.kind, partition: at.partition, incarnation },
      number,
      workspaceId: message.workspaceId,
      kind: message.kind,
      partition,
      key: message.key,
      type: message.type,
      sentAt: Math.trunc(this.#head.now),
      ...(cause.causationId === undefined ? {} : { causationId: cause.causationId }),
      correlationId: cause.correlationId,
      ...(message.receipt === true ? { receipt: true } : {}),
      body: message.body,
    }
    this.#drawn.set(destination, { ...drawn, drawn: number })
    this.outbox.push(envelope)
    return envelope
  }

  get drawn(): BatchWrites["drawn"] {
    return [...this.#drawn.values()]
  }
}

export class Collector {
  readonly states = new Map<string, StoredState & { workspaceId: string }>()
  readonly projections = new Map<string, Array<unknown>>()
  readonly #head: BatchHead
  readonly #numbering: Numbering
  readonly #journal: Array<BatchWrites["journal"][number]> = []
  readonly #timers = new Map<string, { set?: DueTimer; key: string; name: string }>()
  readonly #activities: Array<ActivityWork> = []
  readonly #dead: Array<BatchWrites["deadLetters"][number]> = []
  readonly #receipts: Array<BatchWrites["receipts"][number]> = []
  readonly #guards = new Map<string, "update" | "share">()
  readonly #marks = new Map<string, BatchWrites["marks"][number]>()
  #sequence: number
  #readFrom = 0

  constructor(placement: Placement, head: BatchHead) {
    this.#head = head
    this.#sequence = head.journalSequence
    this.#numbering = new Numbering(placement, head)
  }

  /** Guard rows this batch holds for update: a message whose facts depend on one of them must see them anew. */
  holds(names: ReadonlyArray<string>): boolean {
    return names.some(name => this.#guards.get(name) === "update")
  }

  /** A timer that an earlier input of this batch set again or cancelled does not fire. */
  overtaken(timer: DueTimer): boolean {
    return this.#timers.has(`${timer.key}\u0000${timer.name}`)
  }

  /** Carries out one effect of `input`. */
  carryOut(input: BatchInput, effect: ActorEffect, freshId: () => string): void {
    switch (effect._tag) {
      case "Send":
        this.#numbering.send(effect, input)
        return
      case "Publish":
        this.#numbering.send(
          {
            kind: "event",
            workspaceId: input.workspaceId,
            key: input.workspaceId,
            type: "Happened",
            body: { ...effect.event, at: Math.trunc(this.#head.now) },
          },
          input,
        )
        return
      case "Activity": {
        const work: ActivityWork = {
          id: freshId(),
          schemaVersion: messageSchemaVersion,
          name: effect.name,
          workspaceId: input.workspaceId,
          key: effect.key,
          correlationId: input.correlationId,
          ...(input.causationId === undefined ? {} : { causationId: input.causationId }),
          sentAt: Math.trunc(this.#head.now),
          payload: effect.payload,
        }
        this.#activities.push(work)
        return
      }
      case "SetTimer":
        this.#timers.set(`${input.key}\u0000${effect.name}`, {
          key: input.key,
          name: effect.name,
          set: {
            key: input.key,
            name: effect.name,
            workspaceId: input.workspaceId,
            dueAt: effect.dueAt,
            payload: effect.payload ?? {},
          },
        })
        return
      case "CancelTimer":
        this.#timers.set(`${input.key}\u0000${effect.name}`, { key: input.key, name: effect.name })
        return
      case "Project": {
        const rows = this.projections.get(effect.projection)
        if (rows === undefined) this.projections.set(effect.projection, [effect.row])
        else rows.push(effect.row)
        return
      }
      case "Guard":
        if (this.#guards.get(effect.name) !== "update") this.#guards.set(effect.name, effect.mode)
        return
    }
  }

  /** Closes an input: journal, mark, timer row, receipt; a dead or parked one is put aside in order. */
  close(
    input: BatchInput,
    outcome: JournalOutcome,
    more: { readonly reason?: string; readonly events?: ReadonlyArray<unknown> } = {},
  ): void {
    this.#sequence++
    this.#journal.push(journalRow(input, this.#sequence, outcome, more))
    if (input.received !== undefined) {
      const { source, number } = input.received.envelope
      this.#marks.set(channelOf(source), { ...source, applied: number })
      this.#readFrom = Math.max(this.#readFrom, input.received.storedAt)
    }
    if (input.timer !== undefined) {
      const id = `${input.timer.key}\u0000${input.timer.name}`
      if (!this.#timers.has(id)) this.#timers.set(id, { key: input.timer.key, name: input.timer.name })
    }
    if (outcome === "dead" || outcome === "parked") {
      this.#dead.push({
        sequence: this.#sequence,
        key: input.key,
        workspaceId: input.workspaceId,
        parked: outcome === "parked",
        reason: more.reason ?? "",
        envelope: input.received?.envelope ?? { timer: input.timer },
      })
    }
    if (input.receipt && outcome !== "parked") {
      this.#receipts.push({
        messageId: input.id,
        outcome: outcome === "coalesced" ? "applied" : outcome,
        ...(more.reason === undefined ? {} : { reason: more.reason }),
      })
    }
  }

  get writes(): BatchWrites {
    const timers = [...this.#timers.values()]
    return {
      now: this.#head.now,
      journalSequence: this.#sequence,
      readFrom: this.#readFrom,
      marks: [...this.#marks.values()],
      drawn: this.#numbering.drawn,
      states: [...this.states.values()],
      journal: this.#journal,
      timersSet: timers.flatMap(timer => (timer.set === undefined ? [] : [timer.set])),
      timersGone: timers.filter(timer => timer.set === undefined),
      outbox: this.#numbering.outbox,
      activities: this.#activities,
      deadLetters: this.#dead,
      receipts: this.#receipts,
      guards: [...this.#guards].map(([name, mode]) => ({ name, mode })).sort((a, b) => (a.name < b.name ? -1 : 1)),
    }
  }
}
