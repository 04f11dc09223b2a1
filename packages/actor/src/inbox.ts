/**
 * What a partition has read and not yet applied, in order of arrival. The marks decide: per source exactly mark + 1 comes
 * next, lower numbers are repeats and go, higher ones wait for what is missing. Pure bookkeeping, no I/O.
 */
import type { Envelope } from "@sluice/protocol/envelope"
import { channelOf } from "./partition-store.ts"

export interface Received {
  readonly envelope: Envelope
  /** Broker time of storage, epoch ms. */
  readonly storedAt: number
}

export interface Gap {
  readonly source: Envelope["source"]
  /** The number that is missing. */
  readonly from: number
}

/** More than this is dropped, not kept: the source holds it and is asked for it when its turn comes. */
const inboxMessagesMax = 20_000

export class Inbox {
  #messages: Array<Received> = []
  #held = new Set<string>()
  redelivered = 0

  get size(): number {
    return this.#messages.length
  }

  /** Keeps a delivery unless it is here already or there is no room. */
  add(received: Received): void {
    const { id } = received.envelope
    if (this.#held.has(id)) {
      this.redelivered++
      return
    }
    if (this.#messages.length >= inboxMessagesMax) return
    this.#held.add(id)
    this.#messages.push(received)
  }

  /** Drops what `marks` say is applied; then the next messages in order, at most `limit`, and the gaps in the way. */
  select(
    marks: ReadonlyMap<string, number>,
    limit: number,
  ): { readonly next: ReadonlyArray<Received>; readonly gaps: ReadonlyArray<Gap> } {
    const next: Array<Received> = []
    const expected = new Map<string, number>()
    const gaps = new Map<string, Gap>()
    const kept: Array<Received> = []
    for (const received of this.#messages) {
      const { source, number, id } = received.envelope
      const channel = channelOf(source)
      const applied = marks.get(channel) ?? 0
      if (number <= applied) {
        this.#held.delete(id)
        this.redelivered++
        continue
      }
      kept.push(received)
      const wanted = expected.get(channel) ?? applied + 1
      if (number === wanted && next.length < limit) {
        next.push(received)
        expected.set(channel, wanted + 1)
        gaps.delete(channel)
      } else if (number > wanted && next.length < limit) {
        gaps.set(channel, { source, from: wanted })
      }
    }
    this.#messages = kept
    // A gap closed by a later arrival in this same pass is none: what was held behind it comes with the next batch.
    const open = [...gaps.entries()].filter(([channel, gap]) => (expected.get(channel) ?? gap.from) === gap.from)
    return { next, gaps: open.map(([, gap]) => gap) }
  }

  /** Forgets what a commit applied. */
  applied(list: ReadonlyArray<Received>): void {
    if (list.length === 0) return
    for (const received of list) this.#held.delete(received.envelope.id)
    this.#messages = this.#messages.filter(received => this.#held.has(received.envelope.id))
  }
}
