/** What the checker says: for each promise how much was looked at and everything that contradicts it. */

export const promises = {
  P1: "one release target never has two job sets that may be acting",
  P2: "messages are applied in the order of their channel, each exactly once",
  P3: "a job that ended never reopens",
  P4: "nothing accepted is lost",
  P5: "nothing waits without a name",
  P6: "every wait ends",
  P8: "a failed verification takes the target back",
} as const
export type PromiseName = keyof typeof promises

export interface Finding {
  /** How many facts were held against the promise: none means that it was not tested. */
  readonly checked: number
  /** Sentences that name what they are about. */
  readonly violations: ReadonlyArray<string>
}

export interface CheckReport {
  readonly kept: boolean
  readonly promises: Readonly<Record<PromiseName, Finding>>
  /** For people: how much happened. */
  readonly seen: {
    readonly entries: number
    readonly events: number
    readonly jobSets: number
    /** Over all targets. */
    readonly activeJobSetsPerTargetMax: number
    readonly reopenedJobs: number
    readonly ignoredReports: number
  }
}

/** Collects violations of one promise while it is checked. */
export class Findings implements Finding {
  checked = 0
  readonly violations: Array<string> = []

  /** One fact was looked at; `sentence` is asked for only when it contradicts the promise. */
  expect(holds: boolean, sentence: () => string): void {
    this.checked++
    if (!holds) this.violations.push(sentence())
  }
}

/** Of a broken run the first few say what happened; the rest repeat it. */
const printedMax = 10

/** Lines for a terminal. */
export const printReport = (report: CheckReport): ReadonlyArray<string> => {
  const { seen } = report
  const lines = Object.entries(report.promises).flatMap(([name, { checked, violations }]) => [
    `${name}  ${violations.length === 0 ? "kept  " : "BROKEN"}  ${String(checked).padStart(7)} checked  ${promises[name as PromiseName]}`,
    ...violations.slice(0, printedMax).map(sentence => `      ${sentence}`),
    ...(violations.length > printedMax ? [`      … and ${violations.length - printedMax} more`] : []),
  ])
  return [
    ...lines,
    `${seen.entries} journal entries, ${seen.events} events, ${seen.jobSets} job sets; active job sets per target at most ` +
      `${seen.activeJobSetsPerTargetMax}; ${seen.reopenedJobs} reopened jobs; ${seen.ignoredReports} late or repeated reports ignored`,
  ]
}
