/** The end of every story and fault: the checker's verdict on the installation's journal, as an error when it is not good. */
import { check } from "@sluice/checker/check"
import { type CheckReport, printReport } from "@sluice/checker/report"
import type { Acknowledged } from "@sluice/protocol/journal-export"
import type { Installation } from "./installation.ts"

export const judge = async (
  installation: Installation,
  acknowledged: ReadonlyArray<Acknowledged> = [],
): Promise<CheckReport> => {
  const report = check(await installation.exportJournal(), acknowledged)
  if (!report.kept) throw new Error(`the checker is not content:\n${printReport(report).join("\n")}`)
  return report
}
