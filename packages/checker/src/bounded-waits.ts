/**
 * P6: every wait ends. Whoever waits owns a timer, or waits for a fact by name, or for a person: an active job its deadline,
 * a running verification its deadlines, a waiting target a timer or a place in the wait index, a busy one work that is
 * bounded itself. What is still in an outbox counts as on its way.
 */
import { isTerminal, type JobStatus } from "@sluice/domain/job-status"
import type { JobRow, JournalExport, TargetStatusRow } from "@sluice/protocol/journal-export"
import { Findings } from "./report.ts"

export const checkBoundedWaits = (data: JournalExport): Findings => {
  const findings = new Findings()
  const timers = new Map<string, Array<string>>()
  for (const timer of data.timers) {
    const owner = `${timer.kind} ${timer.key}`
    timers.set(owner, [...(timers.get(owner) ?? []), timer.name])
  }
  const stopped = new Set(data.deadLetters.map(one => `${one.kind} ${one.key}`))
  const pending = new Set(data.outbox.map(row => `${row.kind} ${row.key}`))
  /** Told on, or held by a dead letter that a person releases. */
  const excused = (actor: string) => stopped.has(actor) || pending.has(actor)

  for (const job of data.jobs) {
    const actor = `job ${job.jobSetId}`
    if (isTerminal(job.status as JobStatus) || excused(actor)) continue
    const own = (timers.get(actor) ?? []).filter(name => name.endsWith(`:${job.id}`))
    findings.expect(own.length > 0 || waitsForPerson(job), () => `job ${job.id} is ${job.status} and has no deadline`)
  }
  for (const verification of data.verifications) {
    const actor = `verification ${verification.id}`
    if (verification.status !== "running" || excused(actor)) continue
    const own = (timers.get(actor) ?? []).filter(name => name.startsWith("deadline"))
    findings.expect(own.length > 0, () => `verification ${verification.id} is running and has no deadline`)
  }
  const waits = new Set(data.waits.map(wait => wait.targetKey))
  const activeSets = new Set(data.jobSets.filter(set => set.active).map(set => set.targetKey))
  const running = new Set(data.verifications.filter(one => one.status === "running").map(one => one.targetKey))
  const present = new Set(data.targets.filter(target => target.present).map(target => target.key))
  for (const status of data.statuses) {
    const actor = `target ${status.key}`
    if (!present.has(status.key) || excused(actor)) continue
    const own = (timers.get(actor) ?? []).length > 0
    const sentence = unbounded(status, {
      fact: own || waits.has(status.key),
      job: own || activeSets.has(status.key) || onTheWay(data, status.key),
      verification: own || running.has(status.key) || onTheWay(data, status.key),
    })
    findings.expect(sentence === undefined, () => `target ${status.key}: ${sentence}`)
  }
  return findings
}

/** A pulled job that was lost: nobody can be asked about it, so its target is held for a person. */
const waitsForPerson = (job: JobRow): boolean => job.reason === "lost"

const onTheWay = (data: JournalExport, targetKey: string): boolean =>
  data.outbox.some(row => JSON.stringify(row.body ?? null).includes(targetKey))

const unbounded = (
  { phase, hold }: TargetStatusRow,
  has: { readonly fact: boolean; readonly job: boolean; readonly verification: boolean },
): string | undefined => {
  switch (phase) {
    case "waiting":
      return has.fact ? undefined : "it waits, has no timer, and nothing would wake it"
    case "deploying":
      return has.job ? undefined : "it deploys, and no job is active"
    case "verifying":
      return has.verification ? undefined : "it verifies, and no verification is running"
    case "rollingBack":
      return has.job || has.verification ? undefined : "it goes back, and neither job nor verification is active"
    case "held":
      return hold !== undefined || has.job ? undefined : "it is held, and neither a person nor a job would end that"
    default:
      return undefined
  }
}
