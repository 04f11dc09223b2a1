/**
 * Job statuses, in the words of the HTTP contract. A job that reached a terminal status never leaves it (promise P3);
 * every other status is active, `queued` and `actionRequired` included (promise P1).
 */
import { Schema } from "effect"

export const activeJobStatuses = ["pending", "queued", "inProgress", "actionRequired"] as const
export const terminalJobStatuses = [
  "successful",
  "failure",
  "cancelled",
  "skipped",
  "invalidJobAgent",
  "invalidIntegration",
  "externalRunNotFound",
] as const

export const JobStatus = Schema.Literals([...activeJobStatuses, ...terminalJobStatuses])
export type JobStatus = typeof JobStatus.Type
export type TerminalJobStatus = (typeof terminalJobStatuses)[number]

export const isTerminal = (status: JobStatus): status is TerminalJobStatus =>
  (terminalJobStatuses as ReadonlyArray<string>).includes(status)

/**
 * One outcome for a set of jobs (one dispatch to several agents): it succeeds when all its jobs did; otherwise it has the
 * status of the first job, in dispatch order, that did not. `undefined` while a job is still active.
 */
export const jobSetOutcome = (statuses: ReadonlyArray<JobStatus>): TerminalJobStatus | undefined => {
  if (statuses.length === 0 || !statuses.every(isTerminal)) return undefined
  return (statuses as ReadonlyArray<TerminalJobStatus>).find(status => status !== "successful") ?? "successful"
}
