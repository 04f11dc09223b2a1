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
  /** Length on the wire. */
  readonly bytes: number
}

export interface Gap {
  readonly source: Envelope["source"]
  /** The number that is missing. */
  readonly from: number
}

export interface InboxBounds {
  readonly messagesMax: number
  readonly bytesMax: number
}

/** What is over is dropped, not kept: the source holds it and is asked for it when its turn comes. */
const bounds: InboxBounds = {
  messagesMax: 20_000, // several seconds of work; a longer backlog lies in the broker or in outboxes
  bytesMax: 32_000_000, // per partition, of which a process may own eighty
}

export class Inbox {
  #messages: Array<Received> = []
  /** Message id → its place in the order of arrival. */
  #held = new Map<string, number>()
  #arrivals = 0
  #bytes = 0
  readonly #bounds: InboxBounds
  redelivered = 0

  constructor(limits: InboxBounds = bounds) {
    this.#bounds = limits
  }

  get size(): number {
    return this.#messages.length
  }

  /** How many have ever arrived: the horizon of a transaction that begins now. */
  get arrivals(): number {
    return this.#arrivals
  }

  /** Keeps a delivery unless it is here already. When there is no room, the channel that takes most of it gives way. */
  add(received: Received): void {
    const { id } = received.envelope
    if (this.#held.has(id)) {
      this.redelivered++
      return
    }
    this.#held.set(id, ++this.#arrivals)
    this.#messages.push(received)
    this.#bytes += received.bytes
    if (this.#messages.length > this.#bounds.messagesMax || this.#bytes > this.#bounds.bytesMax) this.#makeRoom()
  }

  /**
   * Drops what `marks` say is applied; then the next messages in order, at most `limit`, and the gaps in the way. Nothing
   * that arrived after `horizon`, where the transaction began: its snapshot does not show what such a message was
   * committed with.
   */
  select(
    marks: ReadonlyMap<string, number>,
    limit: number,
    horizon: number,
  ): { readonly next: ReadonlyArray<Received>; readonly gaps: ReadonlyArray<Gap> } {
    const next: Array<Received> = []
    const expected = new Map<string, number>()
    const gaps = new Map<string, Gap>()
    const repeats = new Set<string>()
    /** Channels that go on with a message of a later batch. */
    const later = new Set<string>()
    for (const received of this.#messages) {
      const { source, number, id } = received.envelope
      const channel = channelOf(source)
      const applied = marks.get(channel) ?? 0
      if (number <= applied) {
        repeats.add(id)
        continue
      }
      const wanted = expected.get(channel) ?? applied + 1
      if (next.length >= limit) continue
      if (number === wanted && (this.#held.get(id) ?? 0) > horizon) later.add(channel)
      else if (number === wanted) {
        next.push(received)
        expected.set(channel, wanted + 1)
        gaps.delete(channel)
      } else if (number > wanted) {
        gaps.set(channel, { source, from: wanted })
      }
    }
    this.redelivered += repeats.size
    this.#forget(repeats)
    // A gap closed by a later arrival in this same pass is none: what was held behind it comes with the next batch.
    const open = [...gaps.entries()].filter(
      ([channel, gap]) => !later.has(channel) && (expected.get(channel) ?? gap.from) === gap.from,
    )
    return { next, gaps: open.map(([, gap]) => gap) }
  }

  /** Forgets what a commit applied. */
  applied(list: ReadonlyArray<Received>): void {
    this.#forget(new Set(list.map(received => received.envelope.id)))
  }

  #forget(ids: ReadonlySet<string>): void {
    if (ids.size === 0) return
    this.#messages = this.#messages.filter(received => {
      const { id } = received.envelope
      if (!ids.has(id)) return true
      this.#held.delete(id)
      this.#bytes -= received.bytes
      return false
    })
  }

  /**
   * The upper half of the channel that takes most room goes: its highest numbers are those needed last. So the message that
   * everything waits for always finds room, however much waits behind it or beside it.
   */
  #makeRoom(): void {
    const channels = new Map<string, { bytes: number; messages: Array<Received> }>()
    for (const received of this.#messages) {
      const name = channelOf(received.envelope.source)
      const channel = channels.get(name) ?? { bytes: 0, messages: [] }
      channels.set(name, channel)
      channel.bytes += received.bytes
      channel.messages.push(received)
    }
    const share = (one: { bytes: number; messages: Array<Received> }): number =>
      Math.max(one.messages.length / this.#bounds.messagesMax, one.bytes / this.#bounds.bytesMax)
    const [widest] = [...channels.values()].sort((a, b) => share(b) - share(a))
    const byNumber = (widest?.messages ?? []).sort((a, b) => a.envelope.number - b.envelope.number)
    // The lowest number stays even when it alone is over the bound: nothing would ever be applied otherwise.
    const kept = Math.max(1, Math.floor(byNumber.length / 2))
    this.#forget(new Set(byNumber.slice(kept).map(received => received.envelope.id)))
  }
}
