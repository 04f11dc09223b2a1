import type { JournalExport } from "@sluice/protocol/journal-export"
import { describe, expect, it } from "vitest"
import { check } from "../src/check.ts"
import { type PromiseName, printReport, promises } from "../src/report.ts"
import { first, healthy, journalWith, lines, rewritten, second, third, withRows, workspaceId } from "./journals.ts"

/** Promises that a journal breaks, each with what is said about it. */
const broken = (data: JournalExport, acknowledged: Parameters<typeof check>[1] = []) =>
  Object.fromEntries(
    Object.entries(check(data, acknowledged).promises)
      .filter(([, finding]) => finding.violations.length > 0)
      .map(([name, finding]) => [name, finding.violations.join("\n")]),
  ) as Partial<Record<PromiseName, string>>

describe("a healthy journal", () => {
  it("keeps every promise, each of them looked at", () => {
    const report = check(healthy(), [
      { what: "version", deploymentId: "d", tag: "1.0.0", id: "v1" },
      { what: "approval", versionId: "v1", environmentId: "e", userId: "u" },
      { what: "job status", jobId: "job-1", status: "successful" },
      { what: "message", messageId: "door-planner-1" },
    ])
    expect(broken(healthy())).toEqual({})
    expect(report.kept).toBe(true)
    for (const name of Object.keys(promises) as ReadonlyArray<PromiseName>) {
      expect(report.promises[name].checked, name).toBeGreaterThan(0)
    }
    expect(report.seen).toMatchObject({ jobSets: 4, activeJobSetsPerTargetMax: 1, reopenedJobs: 0, ignoredReports: 1 })
  })

  it("prints one line for every promise and one for what was seen", () => {
    const printed = printReport(check(healthy()))
    expect(printed.slice(0, -1).map(line => line.slice(0, 10))).toEqual(
      Object.keys(promises).map(name => `${name}  kept  `),
    )
    expect(printed.at(-1)).toContain(`${lines.length} journal entries`)
  })
})

describe("P1 is broken by", () => {
  it("a job set that starts before the one before it is over", () => {
    const data = journalWith(line => (line.key === "set-3" && line.type === "StartJobs" ? { at: 59 } : undefined))
    expect(broken(data).P1).toContain(`${first}: job set set-3 started while set-2 was active`)
    expect(check(data).seen.activeJobSetsPerTargetMax).toBe(2)
  })

  it("a target that asks for a job set while it has one", () => {
    const data = journalWith(line => (line.type === "JobSettled" && line.at === 12 ? { events: [] } : undefined))
    expect(broken(data).P1).toContain("asked for job set set-2 at target 0/4 while set-1 was active")
  })

  it("a set that settles while one of its jobs waits for a person", () => {
    const data = journalWith(line =>
      line.key === "set-1" && line.at === 10
        ? { events: [{ _tag: "JobRunning", jobId: "job-1", status: "actionRequired" }, { _tag: "SetSettled" }] }
        : undefined,
    )
    expect(broken(data).P1).toContain("job set set-1 settled at job 0/2 while job job-1 was active")
  })

  it("two sets whose rows are both active, and a queued job of a set that counts as over", () => {
    const { jobSets, jobs } = healthy()
    expect(broken(withRows({ jobSets: [...jobSets, { id: "set-5", targetKey: second, active: true }] })).P1).toContain(
      `${second}: job sets set-4 and set-5 are both active`,
    )
    expect(
      broken(withRows({ jobs: [...jobs, { id: "job-5", jobSetId: "set-1", targetKey: first, status: "queued" }] })).P1,
    ).toContain("job job-5 is queued, but its set set-1 counts as over")
  })
})

describe("P2 is broken by", () => {
  const third = (entry: { kind: string; sequence: number }) => entry.kind === "job" && entry.sequence === 3

  it("a message that was applied twice", () => {
    const data = rewritten(third, entry => ({
      ...entry,
      messageId: "door-job-1",
      source: { kind: "door", partition: 0, incarnation: 1, number: 1 },
    }))
    expect(broken(data).P2).toContain("number 1 was applied again, or late, at job 0/3, after 1")
    expect(broken(data).P2).toContain("message door-job-1 is at job 0/3 and at job 0/2")
  })

  it("a number that was jumped over", () => {
    const data = rewritten(third, entry => ({
      ...entry,
      source: { kind: "door", partition: 0, incarnation: 1, number: 3 },
    }))
    expect(broken(data).P2).toContain("door 0 (1) → job 0: number 3 was applied at job 0/3, after 1")
  })

  it("an epoch that goes back", () => {
    const data = rewritten(third, entry => ({ ...entry, epoch: 0 }))
    expect(broken(data).P2).toContain("job 0/3 was written in epoch 0, after epoch 1")
  })

  it("a time that goes back, and a sequence with a hole", () => {
    expect(broken(rewritten(third, entry => ({ ...entry, at: 1 }))).P2).toContain("job 0/3 is older than")
    const data = healthy()
    const journal = data.journal.filter(entry => !(entry.kind === "job" && entry.sequence === 5))
    expect(broken({ ...data, journal }).P2).toContain("job 0/6 comes after sequence 4")
  })

  it("a mark that is not the last number applied", () => {
    const { channels } = healthy()
    const data = withRows({ channels: channels.map((row, i) => (i === 0 ? { ...row, drawn: 9, applied: 9 } : row)) })
    expect(broken(data).P2).toContain("door 0 (1) → planner 0: the mark says 9, the journal 2")
  })

  it("but not by the gaps that other workspaces leave in the export of one", () => {
    const data = healthy()
    const journal = data.journal.filter(entry => entry.key !== "set-1")
    expect(broken({ ...data, workspaceId, journal, channels: [] }).P2).toBeUndefined()
  })
})

describe("P3 is broken by", () => {
  it("a job that runs again after its end", () => {
    const data = journalWith(line =>
      line.at === 11 ? { events: [{ _tag: "JobRunning", jobId: "job-1", status: "inProgress" }] } : undefined,
    )
    expect(broken(data).P3).toContain("job job-1 ended as successful, and JobRunning at job 0/3 changed it")
    expect(check(data).seen.reopenedJobs).toBe(1)
  })

  it("a second end, and a row that says another end than the journal", () => {
    const again = journalWith(line =>
      line.at === 11 ? { events: [{ _tag: "JobEnded", jobId: "job-1", status: "failure" }] } : undefined,
    )
    expect(broken(again).P3).toContain("and JobEnded at job 0/3 changed it")
    const { jobs } = healthy()
    const row = withRows({ jobs: jobs.map(job => (job.id === "job-1" ? { ...job, status: "failure" } : job)) })
    expect(broken(row).P3).toContain("job job-1 ended as successful, but its row says failure")
  })
})

describe("P4 is broken by", () => {
  it("a number that was drawn, not applied, and is in no outbox", () => {
    const { channels } = healthy()
    const data = withRows({ channels: channels.map((row, i) => (i === 0 ? { ...row, drawn: 3 } : row)) })
    expect(broken(data).P4).toBe("door 0 (1) → planner 0: number 3 is neither applied nor in the outbox")
    const kept = {
      source: { kind: "door", partition: 0 },
      kind: "planner",
      partition: 0,
      number: 3,
      key: workspaceId,
      type: "CatalogChanged",
      body: {},
    }
    expect(broken({ ...data, outbox: [kept] })).toEqual({})
  })

  it("a version the planner never heard of", () => {
    const data = journalWith(line =>
      line.kind === "planner" && line.at === 50 ? { message: { reason: "?" } } : undefined,
    )
    expect(broken(data).P4).toBe("version 1.1.0 (v2) was accepted, and the planner never heard of it")
  })

  it("an approval that the event log never heard of", () => {
    const data = journalWith(line => (line.kind === "event" ? { message: {} } : undefined))
    expect(broken(data).P4).toBe("user u decided on version v1 in e, and nobody was told")
  })

  it("an acknowledged version, approval, job status or message that is not there", () => {
    const acknowledged = [
      { what: "version", deploymentId: "d", tag: "1.2.0" },
      { what: "version", deploymentId: "d", tag: "1.1.0", id: "v3" },
      { what: "approval", versionId: "v2", environmentId: "e", userId: "u" },
      { what: "job status", jobId: "job-4", status: "successful" },
      { what: "message", messageId: "door-planner-3" },
    ] as const
    expect(broken(healthy(), acknowledged).P4?.split("\n")).toHaveLength(acknowledged.length)
  })
})

describe("P5 is broken by", () => {
  const withStatus = (key: string, change: Partial<JournalExport["statuses"][number]>) => {
    const { statuses } = healthy()
    return withRows({ statuses: statuses.map(status => (status.key === key ? { ...status, ...change } : status)) })
  }

  it("a waiting target without a reason, a rule, or anybody who must act", () => {
    const { blocked: _, ...silent } = healthy().statuses.find(status => status.key === third) ?? { blocked: {} }
    const { statuses } = healthy()
    const others = statuses.filter(status => status.key !== third)
    expect(broken(withRows({ statuses: [...others, silent as (typeof statuses)[number]] })).P5).toContain(
      "does not say why",
    )
    expect(broken(withStatus(third, { blocked: { rule: "anyApproval", waitsOn: ["x"] } })).P5).toContain(
      "gives no reason",
    )
    expect(broken(withStatus(third, { blocked: { reason: "?", waitsOn: ["x"] } })).P5).toContain("names no rule")
    expect(broken(withStatus(third, { blocked: { rule: "retry", reason: "?", waitsOn: [] } })).P5).toContain(
      "waits on nothing and for no time",
    )
    expect(broken(withStatus(third, { blocked: { rule: "retry", reason: "?", waitsOn: [], until: 5 } }))).toEqual({})
  })

  it("a held target without a reason, and one that never said anything", () => {
    expect(broken(withStatus(second, { phase: "held" })).P5).toContain("held without a reason")
    const { statuses } = healthy()
    expect(broken(withRows({ statuses: statuses.filter(status => status.key !== first) })).P5).toBe(
      `target ${first}: it has never said anything`,
    )
  })
})

describe("P6 is broken by", () => {
  it("an active job, a running verification or a waiting target that nothing will end", () => {
    expect(broken(withRows({ timers: [] })).P6).toBe("job job-4 is queued and has no deadline")
    expect(broken(withRows({ verifications: [{ id: "check-3", targetKey: first, status: "running" }] })).P6).toBe(
      "verification check-3 is running and has no deadline",
    )
    expect(broken(withRows({ waits: [] })).P6).toBe(
      `target ${third}: it waits, has no timer, and nothing would wake it`,
    )
    const timers = [...healthy().timers, { kind: "target", key: third, name: "evaluate", dueAt: 2_000 }]
    expect(broken(withRows({ waits: [], timers }))).toEqual({})
  })

  it("a target that deploys, verifies or goes back without any work under way", () => {
    const { statuses } = healthy()
    const moving = (phase: string) =>
      withRows({ statuses: statuses.map(status => (status.key === first ? { ...status, phase } : status)) })
    expect(broken(moving("deploying")).P6).toContain("no job is active")
    expect(broken(moving("verifying")).P6).toContain("no verification is running")
    expect(broken(moving("rollingBack")).P6).toContain("neither job nor verification")
  })
})

describe("P8 is broken by", () => {
  const afterFailure = (events: ReadonlyArray<{ readonly _tag: string }>) =>
    broken(journalWith(line => (line.kind === "target" && line.at === 72 ? { events } : undefined))).P8

  it("a failed verification after which nothing happens, or another version starts", () => {
    const silent = broken(
      journalWith(line => (line.kind === "target" && line.at >= 72 && line.key === first ? { events: [] } : undefined)),
    )
    expect(silent.P8).toContain("the target did nothing about it")
    expect(afterFailure([{ _tag: "JobRequested" }])).toContain(
      "another job was asked for at target 0/6 instead of a return",
    )
  })

  it("a confirmation in spite of it, and a hold that gives no reason", () => {
    expect(afterFailure([{ _tag: "Confirmed" }])).toContain("the version was confirmed at target 0/6 all the same")
    expect(afterFailure([{ _tag: "HeldForPerson" }])).toContain("held without a reason at target 0/6")
  })

  it("a return to a release that was never confirmed there", () => {
    const data = journalWith(line => (line.kind === "target" && line.at === 22 ? { events: [] } : undefined))
    expect(broken(data).P8).toContain(
      `target ${first} went back to release r1 at target 0/6, which was never confirmed there`,
    )
  })

  it("but not by a hold with a reason, nor by a rule that switches the return off", () => {
    const held = journalWith(line => {
      if (line.kind !== "target" || line.key !== first) return undefined
      if (line.at === 72) return { events: [{ _tag: "HeldForPerson", reason: "nothing to return to" }] }
      return line.at === 82 ? { events: [] } : undefined
    })
    expect(broken(held).P8).toBeUndefined()
    const stays = journalWith(line => {
      if (line.kind !== "target" || line.key !== first) return undefined
      if (line.at === 72)
        return { events: [{ _tag: "VersionFailed", by: "verification", version: { versionId: "v2" } }] }
      return line.at === 82 ? { events: [] } : undefined
    })
    expect(broken(stays).P8).toContain("did nothing about it")
    expect(broken({ ...stays, withoutRollback: [workspaceId] }).P8).toBeUndefined()
  })
})
