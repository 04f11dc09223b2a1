/**
 * The proof: what the checker found in the journal of the installation, and what the sites themselves recorded. The
 * caller supplies the checker's summary, since reading a journal is nothing that a user of Sluice does.
 */

import { badPosition, type Row } from "./outcome.ts"
import { newTag, oldTag } from "./plan.ts"

/** What the checker says of a journal. */
export interface ProofSummary {
  readonly eventsChecked: number
  readonly activeJobSetsPerTargetMax: number
  readonly orderKept: boolean
  readonly reopenedJobs: number
  /** Broken promises, a sentence each; empty when everything was kept. */
  readonly violations: ReadonlyArray<string>
}

export interface Proof {
  readonly lines: ReadonlyArray<string>
  readonly problems: ReadonlyArray<string>
}

/** `firstFailedAt`: when the first failing probe was measured, epoch milliseconds. */
export const proofOf = (
  summary: ProofSummary | undefined,
  rows: ReadonlyArray<Row>,
  firstFailedAt: number | undefined,
): Proof => {
  const placed = rows.filter(row => row.position !== undefined)
  const untouched = placed.filter(row => (row.position ?? 0) > badPosition)
  const leaked = untouched.filter(row => row.served.some(each => each.version === newTag))
  const failing = placed.find(row => row.position === badPosition)
  const backHere = failing && returnedAt(failing)
  const backAll = latest(placed.filter(row => (row.position ?? 0) <= badPosition).map(returnedAt))
  const lines = [
    ...(summary === undefined ? [] : journalLines(summary)),
    `${newTag} never served by positions 4 and 5: ${leaked.length === 0 ? "yes, by the sites' own records" : `NO: ${leaked.map(row => row.resource).join(", ")}`}`,
    `first failing probe to ${oldTag} serving again: ${elapsed(firstFailedAt, backHere)} on that site, ${elapsed(firstFailedAt, backAll)} on all three`,
  ]
  const problems = [
    ...(summary === undefined ? [] : journalProblems(summary)),
    ...leaked.map(row => `${row.resource} served ${newTag} at position ${row.position}`),
    ...(firstFailedAt === undefined ? ["no failing probe was seen"] : []),
    ...(backAll === undefined ? [`not every touched site has returned to ${oldTag}`] : []),
  ]
  return { lines, problems }
}

const journalLines = (summary: ProofSummary): ReadonlyArray<string> => [
  `events checked: ${summary.eventsChecked}`,
  `active job sets per target: at most ${summary.activeJobSetsPerTargetMax}`,
  `order kept: ${summary.orderKept ? "yes" : "NO"}`,
  `reopened jobs: ${summary.reopenedJobs}`,
]

const journalProblems = (summary: ProofSummary): ReadonlyArray<string> => [
  ...summary.violations,
  ...(summary.eventsChecked === 0 ? ["the checker saw no events"] : []),
  ...(summary.activeJobSetsPerTargetMax > 1 ? ["a target had more than one active job set"] : []),
  ...(summary.orderKept ? [] : ["messages were not applied in order"]),
  ...(summary.reopenedJobs > 0 ? [`${summary.reopenedJobs} jobs were reopened`] : []),
]

/** When the site went back from 1.1.0 to 1.0.0, by its own record. */
const returnedAt = ({ served }: Row): number | undefined => {
  const bad = served.findIndex(each => each.version === newTag)
  return bad < 0 ? undefined : served.slice(bad).find(each => each.version === oldTag)?.from
}

const latest = (times: ReadonlyArray<number | undefined>): number | undefined =>
  times.length === 0 || times.includes(undefined) ? undefined : Math.max(...times.filter(time => time !== undefined))

const elapsed = (from: number | undefined, to: number | undefined): string =>
  from === undefined || to === undefined ? "unknown" : `${Math.max(0, Math.round(to - from))} ms`
