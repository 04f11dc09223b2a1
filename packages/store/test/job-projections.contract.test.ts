import { expect, layer } from "@effect/vitest"
import { Storage, type StorageError } from "@sluice/actor/ports"
import { testStore } from "@sluice/testkit/shared"
import { Effect } from "effect"
import { type JobChange, type JobCreation, type JobSetRow, writeJobSets, writeJobs } from "../src/job-projections.ts"

const uuid = (n: number) => `01990000-0000-7000-8000-${n.toString().padStart(12, "0")}`
const workspaceId = uuid(1)
const at = Date.UTC(2026, 0, 5, 10)

const creation = (id: string): JobCreation => ({
  _tag: "Created",
  id,
  jobSetId: uuid(2),
  workspaceId,
  targetKey: "target",
  releaseId: uuid(3),
  jobAgentId: uuid(4),
  status: "pending",
  attempt: 1,
  try: 1,
  deadline: at + 600_000,
  message: null,
  jobAgentConfig: { url: "x" },
  dispatchContext: { version: { tag: "1.0.0" } },
  metadata: { "git/commit": "abc" },
  createdAt: at,
  completedAt: null,
})
const change = (id: string, rest: Partial<JobChange>): JobChange => ({
  _tag: "Changed",
  id,
  workspaceId,
  status: "inProgress",
  attempt: 1,
  ignoredReports: 0,
  updatedAt: at + 1_000,
  ...rest,
})
const setStarted = (id: string, targetKey: string): JobSetRow => ({
  _tag: "Started",
  id,
  workspaceId,
  targetKey,
  releaseId: uuid(3),
  versionId: uuid(5),
  try: 1,
  purpose: "deploy",
  createdAt: at,
})
const setEnded = (id: string): JobSetRow => ({
  _tag: "Ended",
  id,
  workspaceId,
  outcome: "failure",
  endedAt: at + 5_000,
})

const inTransaction = <A>(work: (tx: Parameters<typeof writeJobs>[0]) => Effect.Effect<A, StorageError>) =>
  Effect.gen(function* () {
    const storage = yield* Storage
    return yield* storage.transaction("repeatable read", work)
  })

const jobRow = Effect.fnUntraced(function* (id: string) {
  const storage = yield* Storage
  const rows = yield* storage.query(
    `SELECT status, reason, message, external_id, ignored_reports, metadata, outputs, job_agent_config,
            (extract(epoch FROM deadline) * 1000)::float8 AS deadline, (extract(epoch FROM started_at) * 1000)::float8 AS started,
            (extract(epoch FROM completed_at) * 1000)::float8 AS completed
       FROM job WHERE id = $1`,
    [id],
  )
  return rows[0]
})
const activeSets = Effect.fnUntraced(function* (targetKey: string) {
  const storage = yield* Storage
  const rows = yield* storage.query<{ id: string }>("SELECT id FROM job_set WHERE target_key = $1 AND active", [
    targetKey,
  ])
  return rows.map(row => row.id)
})

layer(testStore, { excludeTestServices: true, timeout: "60 seconds" })("the rows of jobs", it => {
  it.effect("take a job's creation and its changes from one batch, in whatever order they were produced", () =>
    Effect.gen(function* () {
      const id = uuid(10)
      yield* inTransaction(tx =>
        writeJobs(tx, [
          creation(id),
          change(id, { startedAt: at + 1_000, links: { run: "https://ci/1" } }),
          change(id, {
            status: "successful",
            reason: null,
            message: "done",
            completedAt: at + 9_000,
            startedAt: at + 9_000,
          }),
        ]),
      )
      expect(yield* jobRow(id)).toMatchObject({
        status: "successful",
        reason: null,
        message: "done",
        deadline: at + 600_000,
        started: at + 1_000,
        completed: at + 9_000,
        metadata: { "git/commit": "abc", "ctrlplane/links": '{"run": "https://ci/1"}' },
        job_agent_config: { url: "x" },
      })
    }),
  )

  it.effect(
    "keep what a change does not speak of, add links to links, and clear a reason that is said to be none",
    () =>
      Effect.gen(function* () {
        const id = uuid(11)
        yield* inTransaction(tx => writeJobs(tx, [creation(id)]))
        yield* inTransaction(tx =>
          writeJobs(tx, [
            change(id, { reason: "deadline", message: "late", externalId: "run-7", links: { run: "a" } }),
          ]),
        )
        yield* inTransaction(tx =>
          writeJobs(tx, [change(id, { ignoredReports: 2, links: { log: "b" }, outputs: { n: 1 } })]),
        )
        expect(yield* jobRow(id)).toMatchObject({
          reason: "deadline",
          message: "late",
          external_id: "run-7",
          ignored_reports: 2,
          outputs: { n: 1 },
        })
        const links = (yield* jobRow(id))?.metadata as Record<string, string>
        expect(JSON.parse(links["ctrlplane/links"] ?? "")).toEqual({ run: "a", log: "b" })
        yield* inTransaction(tx => writeJobs(tx, [change(id, { reason: null })]))
        expect(yield* jobRow(id)).toMatchObject({ reason: null, message: "late" })
      }),
  )

  it.effect("are not touched by a change that names another workspace", () =>
    Effect.gen(function* () {
      const id = uuid(12)
      yield* inTransaction(tx => writeJobs(tx, [creation(id)]))
      yield* inTransaction(tx => writeJobs(tx, [change(id, { workspaceId: uuid(99), status: "failure" })]))
      expect(yield* jobRow(id)).toMatchObject({ status: "pending" })
    }),
  )
})

layer(testStore, { excludeTestServices: true, timeout: "60 seconds" })("the rows of job sets", it => {
  it.effect("refuse a second active set of a target, even if all code is wrong", () =>
    Effect.gen(function* () {
      yield* inTransaction(tx => writeJobSets(tx, [setStarted(uuid(20), "one-at-a-time")]))
      const error = yield* Effect.flip(inTransaction(tx => writeJobSets(tx, [setStarted(uuid(21), "one-at-a-time")])))
      expect(error).toMatchObject({ fault: "message", code: "23505", constraint: "job_set_one_active" })
      expect(yield* activeSets("one-at-a-time")).toEqual([uuid(20)])
    }),
  )

  it.effect("let the next set in with the end of the one before, in one batch too", () =>
    Effect.gen(function* () {
      yield* inTransaction(tx => writeJobSets(tx, [setStarted(uuid(30), "next")]))
      yield* inTransaction(tx => writeJobSets(tx, [setStarted(uuid(31), "next"), setEnded(uuid(30))]))
      expect(yield* activeSets("next")).toEqual([uuid(31)])
    }),
  )

  it.effect("take a set that ended in the batch that started it", () =>
    Effect.gen(function* () {
      yield* inTransaction(tx => writeJobSets(tx, [setStarted(uuid(40), "at-once"), setEnded(uuid(40))]))
      expect(yield* activeSets("at-once")).toEqual([])
    }),
  )
})
