/** P3: after a job's end nothing but ignored reports is said about it, and its row says the status it ended with. */

import type { JournalEntry, JournalExport } from "@sluice/protocol/journal-export"
import { eventsByKey, list, placeOf, text } from "./history.ts"
import { Findings } from "./report.ts"

export const checkEndedJobs = (journal: ReadonlyArray<JournalEntry>, data: JournalExport) => {
  const findings = new Findings()
  const ended = new Map<string, string>()
  const reopened = new Set<string>()
  let ignoredReports = 0
  for (const events of eventsByKey(journal, "job").values()) {
    for (const { entry, event } of events) {
      if (event._tag === "JobsStarted") {
        for (const created of list(event.jobs)) {
          if (text(created, "job", "phase") === "Ended")
            ended.set(text(created, "job", "jobId"), text(created, "job", "status"))
        }
        continue
      }
      const jobId = text(event, "jobId")
      if (event._tag === "ReportIgnored") ignoredReports++
      if (jobId === "" || event._tag === "ReportIgnored") continue
      const status = ended.get(jobId)
      findings.expect(
        status === undefined,
        () => `job ${jobId} ended as ${status}, and ${event._tag} at ${placeOf(entry)} changed it`,
      )
      if (status !== undefined) reopened.add(jobId)
      else if (event._tag === "JobEnded") ended.set(jobId, text(event, "status"))
    }
  }
  for (const job of data.jobs) {
    const status = ended.get(job.id)
    if (status === undefined) continue
    findings.expect(job.status === status, () => `job ${job.id} ended as ${status}, but its row says ${job.status}`)
    if (job.status !== status) reopened.add(job.id)
  }
  return { findings, reopened: reopened.size, ignoredReports }
}
