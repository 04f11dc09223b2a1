/**
 * What `store/journal-export.ts` writes and the checker judges: plain JSON, the journal of an installation from its
 * beginning and the rows that tell where it stands, all read in one snapshot. Times are epoch milliseconds.
 */

export type Outcome = "applied" | "refused" | "dead" | "parked" | "coalesced"

export interface Channel {
  readonly kind: string
  readonly partition: number
  readonly incarnation: number
}

export interface JournalEntry {
  readonly kind: string
  readonly partition: number
  readonly sequence: number
  readonly epoch: number
  readonly at: number
  readonly workspaceId: string
  readonly key: string
  readonly messageId: string
  /** Absent for timers. */
  readonly source?: Channel & { readonly number: number }
  readonly type: string
  readonly message: unknown
  readonly outcome: Outcome
  readonly reason?: string
  readonly events: ReadonlyArray<JournalEvent>
}

/** An actor's event as it was kept; the checker reads the fields it knows by tag and is blind to the rest. */
export interface JournalEvent {
  readonly _tag: string
  readonly [field: string]: unknown
}

/** One source's numbers to one destination partition. */
export interface ChannelRow {
  readonly source: Channel
  readonly kind: string
  readonly partition: number
  readonly drawn: number
  readonly applied: number
}

export interface TargetRow {
  readonly key: string
  readonly workspaceId: string
  readonly present: boolean
}
export interface TargetStatusRow {
  readonly key: string
  readonly workspaceId: string
  readonly phase: string
  readonly jobSetId?: string
  readonly goodReleaseId?: string
  readonly blocked?: { readonly [field: string]: unknown }
  readonly hold?: { readonly [field: string]: unknown }
}
export interface JobSetRow {
  readonly id: string
  readonly targetKey: string
  readonly active: boolean
  readonly outcome?: string
}
export interface JobRow {
  readonly id: string
  readonly jobSetId: string
  readonly targetKey: string
  readonly status: string
  readonly reason?: string
}
export interface VerificationRow {
  readonly id: string
  readonly targetKey: string
  readonly status: string
}
export interface TimerRow {
  readonly kind: string
  readonly key: string
  readonly name: string
  readonly dueAt: number
}
export interface DeadLetterRow {
  readonly kind: string
  readonly key: string
  readonly parked: boolean
  readonly reason: string
}

export interface JournalExport {
  readonly exportedAt: number
  /** Set when only one workspace was exported: channels then show gaps that belong to others. */
  readonly workspaceId?: string
  /** By kind, partition, sequence. */
  readonly journal: ReadonlyArray<JournalEntry>
  readonly channels: ReadonlyArray<ChannelRow>
  /** Numbers still in the outbox. */
  readonly outbox: ReadonlyArray<{
    readonly source: Omit<Channel, "incarnation">
    readonly kind: string
    readonly partition: number
    readonly number: number
    readonly key: string
    readonly type: string
    readonly body: unknown
  }>
  readonly targets: ReadonlyArray<TargetRow>
  readonly statuses: ReadonlyArray<TargetStatusRow>
  readonly targetVersions: ReadonlyArray<{
    readonly targetKey: string
    readonly versionId: string
    readonly verification: string
    readonly quarantinedAt?: number
  }>
  readonly quarantines: ReadonlyArray<{ readonly scope: string; readonly versionId: string; readonly reason: string }>
  readonly jobSets: ReadonlyArray<JobSetRow>
  readonly jobs: ReadonlyArray<JobRow>
  readonly verifications: ReadonlyArray<VerificationRow>
  readonly timers: ReadonlyArray<TimerRow>
  readonly waits: ReadonlyArray<{ readonly targetKey: string; readonly subject: string }>
  readonly deadLetters: ReadonlyArray<DeadLetterRow>
  readonly versions: ReadonlyArray<{
    readonly id: string
    readonly workspaceId: string
    readonly deploymentId: string
    readonly tag: string
  }>
  readonly approvals: ReadonlyArray<{
    readonly versionId: string
    readonly environmentId: string
    readonly userId: string
  }>
  /** Workspaces in which a rule switches the return after a failed verification off. */
  readonly withoutRollback: ReadonlyArray<string>
}

/** A thing whose acknowledgement the caller saw: an HTTP 2xx or a publish ack. Promise P4 is about these. */
export type Acknowledged =
  | { readonly what: "version"; readonly deploymentId: string; readonly tag: string; readonly id?: string }
  | { readonly what: "approval"; readonly versionId: string; readonly environmentId: string; readonly userId: string }
  | { readonly what: "job status"; readonly jobId: string; readonly status: string }
  | { readonly what: "message"; readonly messageId: string }
