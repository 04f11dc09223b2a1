/** The journal, read once: entries of each actor in order, and the events of one kind of actor with where they stood. */
import type { JournalEntry, JournalEvent, JournalExport } from "@sluice/protocol/journal-export"

export interface PlacedEvent {
  readonly entry: JournalEntry
  readonly event: JournalEvent
}

/** By partition and sequence, which is the order in which one actor's messages were applied. */
export const inOrder = (journal: JournalExport["journal"]): ReadonlyArray<JournalEntry> =>
  [...journal].sort((a, b) => compare(a.kind, b.kind) || a.partition - b.partition || a.sequence - b.sequence)

/** Events of every actor of a kind, by actor key, in order. */
export const eventsByKey = (
  journal: ReadonlyArray<JournalEntry>,
  kind: string,
): ReadonlyMap<string, ReadonlyArray<PlacedEvent>> => {
  const byKey = new Map<string, Array<PlacedEvent>>()
  for (const entry of journal) {
    if (entry.kind !== kind) continue
    const list = byKey.get(entry.key) ?? []
    for (const event of entry.events) list.push({ entry, event })
    byKey.set(entry.key, list)
  }
  return byKey
}

export const placeOf = (entry: JournalEntry): string => `${entry.kind} ${entry.partition}/${entry.sequence}`

/** A text field of an event, `""` when it is none. */
export const text = (value: unknown, ...path: ReadonlyArray<string>): string => {
  let at: unknown = value
  for (const name of path)
    at = typeof at === "object" && at !== null ? (at as Record<string, unknown>)[name] : undefined
  return typeof at === "string" ? at : ""
}

export const list = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
