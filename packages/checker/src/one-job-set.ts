/**
 * P1, from three sides that must agree: the job sets' own journal (a set acts from `JobsStarted` to `SetSettled`, and no
 * job of it outlives that), the targets' journal (from the request to the end of the try), and the rows at the end.
 */
import { isTerminal, type JobStatus } from "@sluice/domain/job-status"
import type { JournalEntry, JournalExport } from "@sluice/protocol/journal-export"
import { eventsByKey, list, type PlacedEvent, placeOf, text } from "./history.ts"
import { Findings } from "./report.ts"

interface Acting {
  readonly id: string
  readonly from: number
  readonly until: number
}

export const checkOneJobSet = (journal: ReadonlyArray<JournalEntry>, data: JournalExport) => {
  const findings = new Findings()
  const byTarget = new Map<string, Array<Acting>>()
  for (const [id, events] of eventsByKey(journal, "job")) {
    const acting = actingOf(id, events, findings)
    if (acting !== undefined) byTarget.set(acting.targetKey, [...(byTarget.get(acting.targetKey) ?? []), acting])
  }
  let most = 0
  for (const [targetKey, sets] of byTarget) most = Math.max(most, mostAtOnce(targetKey, sets, findings))
  for (const [targetKey, events] of eventsByKey(journal, "target")) checkRequests(targetKey, events, findings)
  checkRows(data, findings)
  return { findings, most, jobSets: [...byTarget.values()].reduce((sum, sets) => sum + sets.length, 0) }
}

/** When the set may have acted; says so when it settled before one of its jobs did. */
const actingOf = (id: string, events: ReadonlyArray<PlacedEvent>, findings: Findings) => {
  const [first] = events
  if (first === undefined || first.event._tag !== "JobsStarted") return undefined
  const open = new Set(
    list(first.event.jobs)
      .map(created => (created as { readonly job?: unknown }).job)
      .filter(job => text(job, "phase") !== "Ended")
      .map(job => text(job, "jobId")),
  )
  let until = Number.POSITIVE_INFINITY
  for (const { entry, event } of events) {
    if (event._tag === "JobEnded") open.delete(text(event, "jobId"))
    if (event._tag !== "SetSettled") continue
    until = Math.min(until, entry.at)
    findings.expect(
      open.size === 0,
      () => `job set ${id} settled at ${placeOf(entry)} while job ${[...open][0]} was active`,
    )
  }
  return { id, targetKey: text(first.event, "targetKey"), from: first.entry.at, until }
}

/** A set that starts in the millisecond in which another ended was caused by that end. */
const mostAtOnce = (targetKey: string, sets: ReadonlyArray<Acting>, findings: Findings): number => {
  const ordered = [...sets].sort((a, b) => a.from - b.from || a.until - b.until)
  let most = 0
  for (const [i, set] of ordered.entries()) {
    const others = ordered.slice(0, i).filter(before => before.until > set.from)
    most = Math.max(most, others.length + 1)
    findings.expect(
      others.length === 0,
      () => `${targetKey}: job set ${set.id} started while ${others[0]?.id} was active`,
    )
  }
  return most
}

const checkRequests = (targetKey: string, events: ReadonlyArray<PlacedEvent>, findings: Findings): void => {
  let active: string | undefined
  for (const { entry, event } of events) {
    const jobSetId = text(event, "run", "jobSetId")
    if (event._tag === "JobRequested" || event._tag === "RollbackRequested") {
      const before = active
      findings.expect(
        before === undefined,
        () => `${targetKey}: asked for job set ${jobSetId} at ${placeOf(entry)} while ${before} was active`,
      )
      active = jobSetId
    } else if (event._tag === "TryEnded" && jobSetId === active) active = undefined
  }
}

const checkRows = (data: JournalExport, findings: Findings): void => {
  const active = new Map<string, string>()
  for (const set of data.jobSets) {
    if (!set.active) continue
    const other = active.get(set.targetKey)
    findings.expect(other === undefined, () => `${set.targetKey}: job sets ${other} and ${set.id} are both active`)
    active.set(set.targetKey, set.id)
  }
  const sets = new Map(data.jobSets.map(set => [set.id, set]))
  for (const job of data.jobs) {
    const over = isTerminal(job.status as JobStatus)
    const set = sets.get(job.jobSetId)
    findings.expect(
      over || set?.active === true,
      () => `job ${job.id} is ${job.status}, but its set ${job.jobSetId} counts as over`,
    )
  }
}
