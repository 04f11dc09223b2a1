/**
 * The journal and the rows beside it as one plain value, for the checker: read in a single snapshot, so that what it says
 * about channels, outboxes and states belongs together. Rows come as JSON from Postgres, in pages, since a journal is long.
 */
import type { Storage, StorageError, Tx } from "@sluice/actor/ports"
import type { JournalEntry, JournalExport } from "@sluice/protocol/journal-export"
import { Effect } from "effect"

/** A page of journal rows, messages included, stays a few megabytes. */
const pageRows = 5_000

/** Everything, or what belongs to one workspace (then channels show gaps that belong to others). */
export const exportJournal = (
  storage: Storage["Service"],
  workspaceId?: string,
): Effect.Effect<JournalExport, StorageError> =>
  storage.transaction("repeatable read", tx =>
    Effect.gen(function* () {
      const journal = yield* readJournal(tx, workspaceId)
      const rest: Record<string, unknown> = {}
      for (const [name, query] of Object.entries(sections)) {
        rest[name] = yield* readSection(tx, query, workspaceId)
      }
      const [clock] = yield* tx.query<{ now: number }>(`SELECT ${ms("now()")} AS now`)
      return {
        exportedAt: clock?.now ?? 0,
        ...(workspaceId === undefined ? {} : { workspaceId }),
        journal,
        ...(rest as unknown as Omit<JournalExport, "exportedAt" | "workspaceId" | "journal">),
      }
    }),
  )

const ms = (column: string): string => `floor(extract(epoch FROM ${column}) * 1000)::float8`
const named = (fields: string): string => `json_strip_nulls(json_build_object(${fields}))`

const entry = named(`
  'kind', kind, 'partition', partition, 'sequence', sequence, 'epoch', epoch, 'at', ${ms("at")},
  'workspaceId', workspace_id, 'key', key, 'messageId', message_id, 'type', type, 'outcome', outcome, 'reason', reason,
  'source', CASE WHEN source_kind IS NULL THEN NULL ELSE json_build_object('kind', source_kind,
    'partition', source_partition, 'incarnation', source_incarnation, 'number', number) END`)

interface Page {
  readonly entry: Omit<JournalEntry, "message" | "events">
  readonly message: unknown
  readonly events: JournalEntry["events"]
}

/** By the primary key, which is the order in which the checker reads. */
const readJournal = Effect.fnUntraced(function* (tx: Tx, workspaceId: string | undefined) {
  const journal: Array<JournalEntry> = []
  let last: JournalEntry | undefined
  while (true) {
    const page: ReadonlyArray<Page> = yield* tx.query<Page>(
      `SELECT ${entry} AS entry, message, events FROM journal
       WHERE ($1::uuid IS NULL OR workspace_id = $1) AND (kind, partition, sequence) > ($2::text, $3::int, $4::bigint)
       ORDER BY kind, partition, sequence LIMIT $5`,
      [workspaceId ?? null, last?.kind ?? "", last?.partition ?? 0, last?.sequence ?? 0, pageRows],
    )
    for (const row of page) journal.push({ ...row.entry, message: row.message, events: row.events })
    last = journal.at(-1)
    if (page.length < pageRows) return journal
  }
})

/** `$1` is the workspace, or null; each answers one JSON value per row. */
const readSection = (tx: Tx, query: string, workspaceId: string | undefined) =>
  Effect.map(tx.query<{ row: unknown }>(query, [workspaceId ?? null]), rows => rows.map(({ row }) => row))

const select = (fields: string, table: string, where = "true"): string =>
  `SELECT ${named(fields)} AS row FROM ${table} WHERE ($1::uuid IS NULL OR workspace_id = $1) AND ${where}`

const sections: Readonly<Record<Exclude<keyof JournalExport, "exportedAt" | "workspaceId" | "journal">, string>> = {
  channels: `SELECT ${named(`
      'source', json_build_object('kind', source_kind, 'partition', source_partition, 'incarnation', incarnation),
      'kind', kind, 'partition', partition, 'drawn', drawn, 'applied', coalesce((SELECT applied FROM channel_mark m
        WHERE m.kind = n.kind AND m.partition = n.partition AND m.source_kind = n.source_kind
          AND m.source_partition = n.source_partition AND m.source_incarnation = incarnation), 0)`)} AS row
    FROM channel_next n, installation WHERE $1::uuid IS NULL`,
  outbox: `SELECT ${named(`
      'source', json_build_object('kind', source_kind, 'partition', source_partition), 'kind', kind,
      'partition', partition, 'number', number, 'key', envelope->>'key', 'type', envelope->>'type',
      'body', envelope->'body'`)} AS row
    FROM outbox WHERE $1::uuid IS NULL OR envelope->>'workspaceId' = $1::text`,
  targets: select("'key', key, 'workspaceId', workspace_id, 'present', present", "release_target"),
  statuses: select(
    `'key', key, 'workspaceId', workspace_id, 'phase', phase, 'jobSetId', job_set_id, 'goodReleaseId', good_release_id,
     'blocked', blocked, 'hold', hold`,
    "target_status",
  ),
  targetVersions: select(
    `'targetKey', target_key, 'versionId', version_id, 'verification', verification,
     'quarantinedAt', ${ms("quarantined_at")}`,
    "target_version",
  ),
  quarantines: select("'scope', scope, 'versionId', version_id, 'reason', reason", "quarantine", "released_at IS NULL"),
  jobSets: select("'id', id, 'targetKey', target_key, 'active', active, 'outcome', outcome", "job_set"),
  jobs: select("'id', id, 'jobSetId', job_set_id, 'targetKey', target_key, 'status', status, 'reason', reason", "job"),
  verifications: select("'id', id, 'targetKey', target_key, 'status', status", "verification"),
  timers: select("'kind', kind, 'key', key, 'name', name, 'dueAt', floor(extract(epoch FROM due_at) * 1000)", "timer"),
  waits: select("'targetKey', target_key, 'subject', subject", "wait"),
  deadLetters: select("'kind', kind, 'key', key, 'parked', parked, 'reason', reason", "dead_letter"),
  versions: select(
    "'id', id, 'workspaceId', workspace_id, 'deploymentId', deployment_id, 'tag', tag",
    "deployment_version",
  ),
  approvals: select("'versionId', version_id, 'environmentId', environment_id, 'userId', user_id", "approval"),
  withoutRollback: `SELECT DISTINCT to_jsonb(workspace_id) AS row FROM policy_rule
    WHERE ($1::uuid IS NULL OR workspace_id = $1) AND body->'rollback'->>'onVerificationFailure' = 'false'`,
}
