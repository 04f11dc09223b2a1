/**
 * The one program that judges a run: every fault, story and demonstration hands it an export of the journal. Pure; knows
 * the shapes of events as they were written, and nothing of how they came about.
 */

import type { Acknowledged, JournalExport } from "@sluice/protocol/journal-export"
import { checkBoundedWaits } from "./bounded-waits.ts"
import { checkEndedJobs } from "./ended-jobs.ts"
import { inOrder } from "./history.ts"
import { checkNamedWaits } from "./named-waits.ts"
import { checkNothingLost } from "./nothing-lost.ts"
import { checkOneJobSet } from "./one-job-set.ts"
import { checkOrder } from "./order.ts"
import type { CheckReport, Finding } from "./report.ts"
import { checkReturnToGood } from "./return-to-good.ts"

/** @param acknowledged what the caller saw acknowledged (HTTP 2xx, publish ack) and therefore must be there. */
export const check = (data: JournalExport, acknowledged: ReadonlyArray<Acknowledged> = []): CheckReport => {
  const journal = inOrder(data.journal)
  const sets = checkOneJobSet(journal, data)
  const jobs = checkEndedJobs(journal, data)
  const promises = {
    P1: sets.findings as Finding,
    P2: checkOrder(journal, data),
    P3: jobs.findings,
    P4: checkNothingLost(journal, data, acknowledged),
    P5: checkNamedWaits(data),
    P6: checkBoundedWaits(data),
    P8: checkReturnToGood(journal, data),
  }
  return {
    kept: Object.values(promises).every(finding => finding.violations.length === 0),
    promises,
    seen: {
      entries: journal.length,
      events: journal.reduce((sum, entry) => sum + entry.events.length, 0),
      jobSets: sets.jobSets,
      activeJobSetsPerTargetMax: sets.most,
      reopenedJobs: jobs.reopened,
      ignoredReports: jobs.ignoredReports,
    },
  }
}
