/**
 * P5: every target that does not move says which rule holds it, on what, and who or when. A target that moves (a job, a
 * verification, a rollback) names what it is waiting for by the work itself; that such work ends is P6.
 */

import type { JournalExport, TargetStatusRow } from "@sluice/protocol/journal-export"
import { text } from "./history.ts"
import { Findings } from "./report.ts"

export const checkNamedWaits = (data: JournalExport): Findings => {
  const findings = new Findings()
  const statuses = new Map(data.statuses.map(status => [status.key, status]))
  const stopped = new Map(
    data.deadLetters.filter(one => !one.parked).map(one => [`${one.kind} ${one.key}`, one.reason]),
  )
  const pending = new Set(
    data.outbox.filter(row => row.kind === "target" || row.kind === "planner").map(row => row.key),
  )
  for (const target of data.targets) {
    if (!target.present) continue
    const status = statuses.get(target.key)
    // Its first look is on its way: sent to it, or in a fan-out of the planner's that is not over.
    if (status === undefined && (pending.has(target.key) || pending.has(target.workspaceId))) continue
    const reason = stopped.get(`target ${target.key}`)
    const silence = status === undefined ? "it has never said anything" : unnamed(status)
    findings.expect(silence === undefined || (reason ?? "") !== "", () => `target ${target.key}: ${silence}`)
  }
  for (const letter of data.deadLetters) {
    findings.expect(
      letter.reason !== "",
      () => `a message of ${letter.kind} ${letter.key} was put aside without a reason`,
    )
  }
  return findings
}

/** What a status that should name its wait leaves out. */
const unnamed = (status: TargetStatusRow): string | undefined => {
  switch (status.phase) {
    case "waiting":
      return unnamedBlock(status)
    case "held":
      return text(status.hold, "reason") === "" && text(status.blocked, "reason") === ""
        ? "it is held without a reason"
        : undefined
    case "deploying":
    case "verifying":
    case "rollingBack":
    case "idle":
      return undefined
    default:
      return `its phase "${status.phase}" is none`
  }
}

const unnamedBlock = ({ blocked }: TargetStatusRow): string | undefined => {
  if (blocked === undefined) return "it waits and does not say why"
  if (text(blocked, "rule") === "") return "it waits and names no rule"
  if (text(blocked, "reason") === "") return "it waits and gives no reason"
  const waitsOn = Array.isArray(blocked.waitsOn) && blocked.waitsOn.length > 0
  const when = typeof blocked.until === "number" || typeof blocked.nextEvaluationAt === "number"
  return waitsOn || when ? undefined : "it waits on nothing and for no time"
}
