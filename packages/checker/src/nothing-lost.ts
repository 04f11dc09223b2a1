/**
 * P4: every number drawn was applied or still lies in its outbox, every version has told the planner of itself and every
 * approval the event log, and what a caller saw acknowledged is there.
 */

import type { Acknowledged, JournalEntry, JournalExport } from "@sluice/protocol/journal-export"
import { list, text } from "./history.ts"
import { channelName } from "./order.ts"
import { Findings } from "./report.ts"

export const checkNothingLost = (
  journal: ReadonlyArray<JournalEntry>,
  data: JournalExport,
  acknowledged: ReadonlyArray<Acknowledged>,
): Findings => {
  const findings = new Findings()
  checkChannels(data, findings)
  checkVersions(journal, data, findings)
  checkApprovals(journal, data, findings)
  const look = presence(journal, data)
  for (const one of acknowledged) findings.expect(look(one), () => `acknowledged and not there: ${JSON.stringify(one)}`)
  return findings
}

const checkChannels = (data: JournalExport, findings: Findings): void => {
  const waiting = new Set(
    data.outbox.map(row => `${row.source.kind} ${row.source.partition} ${row.kind} ${row.partition} ${row.number}`),
  )
  for (const row of data.channels) {
    findings.expect(
      row.applied <= row.drawn,
      () => `${channelName(row.source, row)}: applied ${row.applied}, drawn ${row.drawn}`,
    )
    for (let number = row.applied + 1; number <= row.drawn; number++) {
      const kept = waiting.has(`${row.source.kind} ${row.source.partition} ${row.kind} ${row.partition} ${number}`)
      findings.expect(
        kept,
        () => `${channelName(row.source, row)}: number ${number} is neither applied nor in the outbox`,
      )
    }
  }
}

const checkVersions = (journal: ReadonlyArray<JournalEntry>, data: JournalExport, findings: Findings): void => {
  const told = new Set<string>()
  const tell = (body: unknown) => {
    for (const version of list((body as { readonly versions?: unknown } | null)?.versions))
      told.add(text(version, "versionId"))
  }
  for (const entry of journal) {
    if (entry.kind === "planner" && entry.type === "CatalogChanged" && entry.outcome !== "refused") tell(entry.message)
  }
  for (const row of data.outbox) if (row.kind === "planner") tell(row.body)
  for (const version of data.versions) {
    findings.expect(
      told.has(version.id),
      () => `version ${version.tag} (${version.id}) was accepted, and the planner never heard of it`,
    )
  }
}

/** An approval's own message: those it wakes depend on who waits. */
const checkApprovals = (journal: ReadonlyArray<JournalEntry>, data: JournalExport, findings: Findings): void => {
  const told = new Set<string>()
  const tell = (message: unknown) => {
    const body = message as { readonly type?: unknown; readonly data?: { readonly environmentIds?: unknown } } | null
    if (body?.type !== "approval.recorded") return
    for (const environmentId of list(body.data?.environmentIds))
      told.add(`${text(body, "data", "versionId")} ${environmentId}`)
  }
  for (const entry of journal) if (entry.kind === "event") tell(entry.message)
  for (const row of data.outbox) if (row.kind === "event") tell(row.body)
  for (const { versionId, environmentId, userId } of data.approvals) {
    const known = told.has(`${versionId} ${environmentId}`)
    findings.expect(
      known,
      () => `user ${userId} decided on version ${versionId} in ${environmentId}, and nobody was told`,
    )
  }
}

const presence = (journal: ReadonlyArray<JournalEntry>, data: JournalExport): ((one: Acknowledged) => boolean) => {
  const versions = new Map(data.versions.map(version => [`${version.deploymentId} ${version.tag}`, version.id]))
  const approvals = new Set(data.approvals.map(one => `${one.versionId} ${one.environmentId} ${one.userId}`))
  const jobs = new Map(data.jobs.map(job => [job.id, job.status]))
  const messages = new Set(journal.map(entry => entry.messageId))
  return one => {
    switch (one.what) {
      case "version": {
        const id = versions.get(`${one.deploymentId} ${one.tag}`)
        return id !== undefined && (one.id === undefined || one.id === id)
      }
      case "approval":
        return approvals.has(`${one.versionId} ${one.environmentId} ${one.userId}`)
      case "job status":
        return jobs.get(one.jobId) === one.status
      case "message":
        return messages.has(one.messageId)
    }
  }
}
