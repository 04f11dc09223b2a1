/**
 * A healthy journal made by hand, small enough to read: one target confirms 1.0.0, fails the verification of 1.1.0 and
 * returns; a second has a job under way; a third waits for an approval. Tests break one thing in it.
 */
import type { JournalEntry, JournalEvent, JournalExport } from "@sluice/protocol/journal-export"

export const workspaceId = "workspace"
export const [first, second, third] = ["target-1", "target-2", "target-3"] as const

interface Line {
  readonly kind: string
  readonly key: string
  readonly type: string
  /** Kind of the source; absent for a timer. */
  readonly from?: string
  readonly at: number
  readonly message?: unknown
  readonly events?: ReadonlyArray<JournalEvent>
  readonly outcome?: JournalEntry["outcome"]
}

const run = (jobSetId: string, releaseId: string, versionId: string) => ({ run: { jobSetId, releaseId, versionId } })
const started = (targetKey: string, jobId: string) => ({
  _tag: "JobsStarted",
  targetKey,
  jobs: [{ job: { phase: "HandedOver", jobId } }],
})
const ended = (jobId: string, status = "successful") => ({ _tag: "JobEnded", jobId, status })
const settled = { _tag: "SetSettled", outcome: "successful" }

const approval = { type: "approval.recorded", data: { versionId: "v1", environmentIds: ["e"] } }

/** In the order of one partition per kind: kind, then place. */
export const lines: ReadonlyArray<Line> = [
  {
    kind: "planner",
    key: workspaceId,
    type: "CatalogChanged",
    from: "door",
    at: 1,
    message: { versions: [{ versionId: "v1", deploymentId: "d" }] },
  },
  {
    kind: "planner",
    key: workspaceId,
    type: "CatalogChanged",
    from: "door",
    at: 50,
    message: { versions: [{ versionId: "v2", deploymentId: "d" }] },
  },

  {
    kind: "target",
    key: first,
    type: "Reconcile",
    from: "planner",
    at: 2,
    events: [{ _tag: "JobRequested", ...run("set-1", "r1", "v1") }],
  },
  {
    kind: "target",
    key: first,
    type: "JobSettled",
    from: "job",
    at: 12,
    events: [
      { _tag: "TryEnded", ...run("set-1", "r1", "v1") },
      { _tag: "VerificationStarted", verificationId: "check-1", ...run("set-1", "r1", "v1") },
    ],
  },
  {
    kind: "target",
    key: first,
    type: "VerificationConcluded",
    from: "verification",
    at: 22,
    events: [{ _tag: "Confirmed", release: { releaseId: "r1", versionId: "v1" } }],
  },
  {
    kind: "target",
    key: first,
    type: "Reconcile",
    from: "planner",
    at: 52,
    events: [{ _tag: "JobRequested", ...run("set-2", "r2", "v2") }],
  },
  {
    kind: "target",
    key: first,
    type: "JobSettled",
    from: "job",
    at: 62,
    events: [
      { _tag: "TryEnded", ...run("set-2", "r2", "v2") },
      { _tag: "VerificationStarted", verificationId: "check-2", ...run("set-2", "r2", "v2") },
    ],
  },
  {
    kind: "target",
    key: first,
    type: "VerificationConcluded",
    from: "verification",
    at: 72,
    events: [
      { _tag: "VersionFailed", by: "verification", version: { versionId: "v2" } },
      { _tag: "Quarantined", version: { versionId: "v2" } },
      { _tag: "RollbackRequested", from: { versionId: "v2" }, ...run("set-3", "r1", "v1") },
    ],
  },
  {
    kind: "target",
    key: first,
    type: "JobSettled",
    from: "job",
    at: 82,
    events: [
      { _tag: "TryEnded", ...run("set-3", "r1", "v1") },
      { _tag: "RolledBack", from: { versionId: "v2" }, to: { releaseId: "r1", versionId: "v1" } },
    ],
  },
  {
    kind: "target",
    key: second,
    type: "Reconcile",
    from: "planner",
    at: 83,
    events: [{ _tag: "JobRequested", ...run("set-4", "r4", "v2") }],
  },
  {
    kind: "target",
    key: third,
    type: "Reconcile",
    from: "planner",
    at: 84,
    events: [{ _tag: "Looked", waiting: true }],
  },

  { kind: "job", key: "set-1", type: "StartJobs", from: "target", at: 4, events: [started(first, "job-1")] },
  { kind: "job", key: "set-1", type: "AgentAnswered", from: "door", at: 10, events: [ended("job-1"), settled] },
  {
    kind: "job",
    key: "set-1",
    type: "AgentAnswered",
    from: "door",
    at: 11,
    events: [{ _tag: "ReportIgnored", jobId: "job-1" }],
  },
  { kind: "job", key: "set-2", type: "StartJobs", from: "target", at: 54, events: [started(first, "job-2")] },
  { kind: "job", key: "set-2", type: "timer:probe:job-2", at: 58, events: [{ _tag: "JobAsked", jobId: "job-2" }] },
  { kind: "job", key: "set-2", type: "AgentAnswered", from: "door", at: 60, events: [ended("job-2"), settled] },
  { kind: "job", key: "set-3", type: "StartJobs", from: "target", at: 74, events: [started(first, "job-3")] },
  { kind: "job", key: "set-3", type: "AgentAnswered", from: "door", at: 80, events: [ended("job-3"), settled] },
  { kind: "job", key: "set-4", type: "StartJobs", from: "target", at: 85, events: [started(second, "job-4")] },

  { kind: "event", key: workspaceId, type: "Happened", from: "door", at: 3, message: approval },

  {
    kind: "verification",
    key: "check-1",
    type: "StartVerification",
    from: "target",
    at: 14,
    events: [{ _tag: "Started", targetKey: first }],
  },
  {
    kind: "verification",
    key: "check-1",
    type: "ProbeMeasured",
    from: "door",
    at: 20,
    events: [{ _tag: "Concluded", status: "passed", targetKey: first }],
  },
  {
    kind: "verification",
    key: "check-2",
    type: "StartVerification",
    from: "target",
    at: 64,
    events: [{ _tag: "Started", targetKey: first }],
  },
  {
    kind: "verification",
    key: "check-2",
    type: "ProbeMeasured",
    from: "door",
    at: 70,
    events: [{ _tag: "Concluded", status: "failed", targetKey: first }],
  },
]

/** Numbers lines as the runtime would: one partition per kind, one channel per pair of kinds. */
const written = (all: ReadonlyArray<Line>) => {
  const sequences = new Map<string, number>()
  const numbers = new Map<string, number>()
  const next = (counters: Map<string, number>, name: string): number => {
    const value = (counters.get(name) ?? 0) + 1
    counters.set(name, value)
    return value
  }
  const journal = all.map((line): JournalEntry => {
    const sequence = next(sequences, line.kind)
    const number = line.from === undefined ? undefined : next(numbers, `${line.from} ${line.kind}`)
    return {
      kind: line.kind,
      partition: 0,
      sequence,
      epoch: 1,
      at: line.at,
      workspaceId,
      key: line.key,
      messageId: `${line.from ?? "timer"}-${line.kind}-${number ?? sequence}`,
      ...(line.from === undefined || number === undefined
        ? {}
        : { source: { kind: line.from, partition: 0, incarnation: 1, number } }),
      type: line.type,
      message: line.message ?? {},
      outcome: line.outcome ?? "applied",
      events: line.events ?? [],
    }
  })
  const channels = [...numbers].map(([pair, last]) => {
    const [from = "", kind = ""] = pair.split(" ")
    return { source: { kind: from, partition: 0, incarnation: 1 }, kind, partition: 0, drawn: last, applied: last }
  })
  return { journal, channels }
}

export const healthy = (all: ReadonlyArray<Line> = lines): JournalExport => ({
  exportedAt: 100,
  ...written(all),
  outbox: [],
  targets: [first, second, third].map(key => ({ key, workspaceId, present: true })),
  statuses: [
    { key: first, workspaceId, phase: "idle", goodReleaseId: "r1" },
    { key: second, workspaceId, phase: "deploying", jobSetId: "set-4" },
    {
      key: third,
      workspaceId,
      phase: "waiting",
      blocked: { rule: "anyApproval", reason: "0 of 1 approvals", waitsOn: ["approval:d:e"] },
    },
  ],
  targetVersions: [{ targetKey: first, versionId: "v2", verification: "failed", quarantinedAt: 72 }],
  quarantines: [],
  jobSets: [
    { id: "set-1", targetKey: first, active: false, outcome: "successful" },
    { id: "set-2", targetKey: first, active: false, outcome: "successful" },
    { id: "set-3", targetKey: first, active: false, outcome: "successful" },
    { id: "set-4", targetKey: second, active: true },
  ],
  jobs: [
    { id: "job-1", jobSetId: "set-1", targetKey: first, status: "successful" },
    { id: "job-2", jobSetId: "set-2", targetKey: first, status: "successful" },
    { id: "job-3", jobSetId: "set-3", targetKey: first, status: "successful" },
    { id: "job-4", jobSetId: "set-4", targetKey: second, status: "queued" },
  ],
  verifications: [
    { id: "check-1", targetKey: first, status: "passed" },
    { id: "check-2", targetKey: first, status: "failed" },
  ],
  timers: [{ kind: "job", key: "set-4", name: "deadline:job-4", dueAt: 1_000 }],
  waits: [{ targetKey: third, subject: "approval:d:e" }],
  deadLetters: [],
  versions: [
    { id: "v1", workspaceId, deploymentId: "d", tag: "1.0.0" },
    { id: "v2", workspaceId, deploymentId: "d", tag: "1.1.0" },
  ],
  approvals: [{ versionId: "v1", environmentId: "e", userId: "u" }],
  withoutRollback: [],
})

type Change = Partial<Pick<Line, "events" | "at" | "outcome" | "message" | "key">>

/** The healthy journal with some of its lines changed, or left out where the answer is null. */
export const journalWith = (change: (line: Line) => Change | null | undefined): JournalExport =>
  healthy(
    lines.flatMap(line => {
      const to = change(line)
      return to === null ? [] : [{ ...line, ...to }]
    }),
  )

/** The healthy journal with an entry rewritten after it was numbered. */
export const rewritten = (
  at: (entry: JournalEntry) => boolean,
  to: (entry: JournalEntry) => JournalEntry,
): JournalExport => {
  const data = healthy()
  return { ...data, journal: data.journal.map(entry => (at(entry) ? to(entry) : entry)) }
}

export const withRows = (rows: Partial<JournalExport>): JournalExport => ({ ...healthy(), ...rows })
