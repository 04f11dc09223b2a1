/**
 * P2: in every partition the journal's sequence has no hole, its epoch and time never go back, and each source's numbers
 * are applied one after the other, each once, up to the mark.
 */

import type { Channel, JournalEntry, JournalExport } from "@sluice/protocol/journal-export"
import { placeOf } from "./history.ts"
import { Findings } from "./report.ts"

export const checkOrder = (journal: ReadonlyArray<JournalEntry>, data: JournalExport): Findings => {
  const findings = new Findings()
  const whole = data.workspaceId === undefined
  const applied = new Map<string, number>()
  const ids = new Map<string, JournalEntry>()
  let before: JournalEntry | undefined
  for (const entry of journal) {
    const previous = before?.kind === entry.kind && before.partition === entry.partition ? before : undefined
    checkNeighbours(previous, entry, whole, findings)
    before = entry
    if (entry.source === undefined) continue
    const channel = channelName(entry.source, entry)
    const last = applied.get(channel) ?? 0
    const { number } = entry.source
    findings.expect(
      number > last,
      () => `${channel}: number ${number} was applied again, or late, at ${placeOf(entry)}, after ${last}`,
    )
    if (whole)
      findings.expect(
        number <= last + 1,
        () => `${channel}: number ${number} was applied at ${placeOf(entry)}, after ${last}`,
      )
    applied.set(channel, Math.max(last, number))
    const twin = ids.get(`${entry.kind} ${entry.messageId}`)
    findings.expect(
      twin === undefined,
      () => `message ${entry.messageId} is at ${placeOf(entry)} and at ${twin && placeOf(twin)}`,
    )
    ids.set(`${entry.kind} ${entry.messageId}`, entry)
  }
  if (whole) {
    for (const row of data.channels) {
      const channel = channelName(row.source, row)
      const last = applied.get(channel) ?? 0
      findings.expect(row.applied === last, () => `${channel}: the mark says ${row.applied}, the journal ${last}`)
    }
  }
  return findings
}

const checkNeighbours = (
  previous: JournalEntry | undefined,
  entry: JournalEntry,
  whole: boolean,
  findings: Findings,
): void => {
  const sequence = previous?.sequence ?? 0
  const follows = whole ? entry.sequence === sequence + 1 : entry.sequence > sequence
  findings.expect(follows, () => `${placeOf(entry)} comes after sequence ${sequence}`)
  if (previous === undefined) return
  findings.expect(
    entry.epoch >= previous.epoch,
    () => `${placeOf(entry)} was written in epoch ${entry.epoch}, after epoch ${previous.epoch}`,
  )
  findings.expect(entry.at >= previous.at, () => `${placeOf(entry)} is older than the entry before it`)
}

export const channelName = (source: Channel, to: { readonly kind: string; readonly partition: number }): string =>
  `${source.kind} ${source.partition} (${source.incarnation}) → ${to.kind} ${to.partition}`
