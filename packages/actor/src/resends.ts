/**
 * Which channels are sent again, and when: what stands still, ever less often while it goes on standing still (its reader
 * may be stopped for a day, and every repeat lies in the broker for as long); what is urgent, at once. Pure bookkeeping.
 */
import { type ChannelBacklog, destinationOf, type PartitionId } from "./partition-store.ts"

/** A channel whose first unapplied number has not moved for this long is sent again. */
export const resendAfter = 2_000
/** After that, whenever another tenth of the time has passed: recovery never takes much longer than what it recovers from. */
const waitShare = 0.1
const resendMax = 60_000

interface Progress {
  readonly first: number
  /** Since when it has stood there. */
  readonly since: number
  readonly dueAt: number
  /** The highest number sent again; 0 when none was. */
  readonly upTo: number
}

export class Resends {
  readonly #channels = new Map<string, Progress>()

  /** Of the channels with something unapplied at `now` (ms), those to send again; `urgent` names sources. */
  due(
    backlog: ReadonlyArray<ChannelBacklog>,
    now: number,
    urgent: ReadonlySet<string> = new Set(),
  ): ReadonlyArray<ChannelBacklog> {
    return backlog.filter(channel => {
      const id = channelName(channel.source, channel)
      const seen = this.#channels.get(id)
      const moved = seen === undefined || seen.first !== channel.first
      // Everything sent again was applied, and it stands at the end of that: what follows was lost as well.
      const goesOn = seen !== undefined && seen.upTo > 0 && channel.first === seen.upTo + 1 && moved
      if (urgent.has(nameOf(channel.source)) || goesOn || (!moved && now >= seen.dueAt)) {
        const since = moved ? now : seen.since
        const wait = Math.min(resendMax, Math.max(resendAfter, waitShare * (now - since)))
        this.#channels.set(id, { first: channel.first, since, dueAt: now + wait, upTo: 0 })
        return true
      }
      if (moved) {
        const upTo = seen !== undefined && channel.first <= seen.upTo ? seen.upTo : 0
        this.#channels.set(id, { first: channel.first, since: now, dueAt: now + resendAfter, upTo })
      }
      return false
    })
  }

  /** A channel was sent again up to this number. */
  sent(source: PartitionId, destination: Destination, upTo: number): void {
    const id = channelName(source, destination)
    const seen = this.#channels.get(id)
    if (seen !== undefined) this.#channels.set(id, { ...seen, upTo: Math.max(upTo, seen.upTo) })
  }
}

export type Destination = Pick<ChannelBacklog, "kind" | "partition">

export const nameOf = (source: PartitionId): string => `${source.kind}.${source.partition}`
export const channelName = (source: PartitionId, destination: Destination): string =>
  `${nameOf(source)}>${destinationOf(destination.kind, destination.partition)}`
