/**
 * P8: every verification that failed was followed, in the target's own journal, by the return to a release confirmed
 * before, or by a hold that says why there is none. A return that was ordered ends as one of the two as well.
 */

import type { JournalEntry, JournalExport } from "@sluice/protocol/journal-export"
import { eventsByKey, type PlacedEvent, placeOf, text } from "./history.ts"
import { Findings } from "./report.ts"

export const checkReturnToGood = (journal: ReadonlyArray<JournalEntry>, data: JournalExport): Findings => {
  const findings = new Findings()
  const targets = eventsByKey(journal, "target")
  const undelivered = new Set(
    data.outbox.filter(row => row.type === "VerificationConcluded").map(row => text(row.body, "verificationId")),
  )
  const stopped = new Set(data.deadLetters.filter(one => one.kind === "target").map(one => one.key))
  for (const [id, events] of eventsByKey(journal, "verification")) {
    for (const { entry, event } of events) {
      if (event._tag !== "Concluded" || event.status !== "failed" || undelivered.has(id)) continue
      const targetKey = text(event, "targetKey")
      if (stopped.has(targetKey)) continue
      const allowed = data.withoutRollback.includes(entry.workspaceId)
      const problem = afterFailure(id, targets.get(targetKey) ?? [], allowed)
      findings.expect(
        problem === undefined,
        () => `verification ${id} of ${targetKey} failed at ${placeOf(entry)}; ${problem}`,
      )
    }
  }
  for (const [targetKey, events] of targets) checkReturns(targetKey, events, findings)
  return findings
}

/** Events that end a verification before its verdict: the target left, or somebody above it took the version back. */
const overtaking = ["VerificationSuspended", "Left", "HeldForPerson", "RollbackRequested", "HoldReleased"]
/** Events by which a target answers a failure. */
const answers = ["RollbackRequested", "HeldForPerson"]

const afterFailure = (id: string, events: ReadonlyArray<PlacedEvent>, mayStay: boolean): string | undefined => {
  const started = events.findIndex(({ event }) => event._tag === "VerificationStarted" && event.verificationId === id)
  if (started < 0) return "its target never asked for it"
  const versionId = text(events[started]?.event, "run", "versionId")
  for (const { entry, event } of events.slice(started + 1)) {
    const failedHere =
      event._tag === "VersionFailed" && event.by === "verification" && text(event, "version", "versionId") === versionId
    if (failedHere && mayStay) return undefined
    if (event._tag === "HeldForPerson" && text(event, "reason") === "")
      return `held without a reason at ${placeOf(entry)}`
    if (answers.includes(event._tag) || overtaking.includes(event._tag)) return undefined
    if (event._tag === "Confirmed") return `the version was confirmed at ${placeOf(entry)} all the same`
    if (event._tag === "JobRequested") return `another job was asked for at ${placeOf(entry)} instead of a return`
  }
  return "the target did nothing about it"
}

/** A return goes to the newest release confirmed on this target that is neither the failed version nor itself taken back. */
const checkReturns = (targetKey: string, events: ReadonlyArray<PlacedEvent>, findings: Findings): void => {
  const good: Array<{ readonly releaseId: string; readonly versionId: string }> = []
  for (const [i, { entry, event }] of events.entries()) {
    if (event._tag === "Confirmed") good.push(refOf(event.release))
    if (event._tag === "RolledBack") good.push(refOf(event.to))
    if (event._tag !== "RollbackRequested") continue
    const to = text(event, "run", "releaseId")
    const from = text(event, "from", "versionId")
    const known = good.some(release => release.releaseId === to && release.versionId !== from)
    findings.expect(
      known,
      () => `target ${targetKey} went back to release ${to} at ${placeOf(entry)}, which was never confirmed there`,
    )
    const after = events.slice(i + 1).find(({ event: later }) => later._tag === "JobRequested")
    const closed = events
      .slice(i + 1, after === undefined ? undefined : events.indexOf(after))
      .some(({ event: later }) =>
        ["RolledBack", "HeldForPerson", "Left", "VerificationSuspended", "RollbackRequested"].includes(later._tag),
      )
    if (after !== undefined) {
      findings.expect(
        closed,
        () => `target ${targetKey} started another version at ${placeOf(after.entry)} before its return was over`,
      )
    }
  }
}

const refOf = (release: unknown) => ({ releaseId: text(release, "releaseId"), versionId: text(release, "versionId") })
