import type { Input } from "@sluice/actor/definition"
import { describe, expect, it } from "vitest"
import { decide, type JobMessage } from "../src/decide.ts"
import type { JobSetEvent } from "../src/events.ts"
import { evolve } from "../src/evolve.ts"
import { attemptsMax } from "../src/limits.ts"
import type { StartFacts } from "../src/start.ts"
import { findJob, type Job, type JobSet } from "../src/state.ts"
import {
  agent,
  answered,
  cancelled,
  facts,
  jobId,
  jobs,
  message,
  moment,
  other,
  reported,
  second,
  setOf,
  start,
  started,
  timer,
} from "./fixtures.ts"

const happens = (
  state: JobSet | undefined,
  input: Input<JobMessage>,
  given?: StartFacts,
): ReadonlyArray<JobSetEvent> => {
  const decision = decide(state, input, given, moment())
  if (decision._tag === "Refused") throw new Error(`refused: ${decision.reason}`)
  return decision.events
}
const refusal = (state: JobSet | undefined, input: Input<JobMessage>): string => {
  const decision = decide(state, input, undefined, moment())
  return decision._tag === "Refused" ? decision.reason : "applied"
}
const after = (state: JobSet | undefined, ...inputs: ReadonlyArray<Input<JobMessage>>): JobSet => {
  const end = inputs.reduce(
    (now, input) => happens(now, input).reduce<JobSet | undefined>((s, e) => evolve(s, e, moment()), now),
    state,
  )
  if (end === undefined) throw new Error("no state")
  return end
}
const jobAfter = (job: Job, ...inputs: ReadonlyArray<Input<JobMessage>>) =>
  findJob(after(setOf(job, other), ...inputs), jobId)
const createdBy = (given: StartFacts | undefined) => {
  const [event] = happens(undefined, started, given)
  if (event?._tag !== "JobsStarted") throw new Error("not started")
  return event.jobs
}

describe("a dispatch", () => {
  it("makes one job per matching agent, in order of agent id", () => {
    const list = createdBy(facts([agent({ id: "b" }), agent({ id: "a" })]))
    expect(list.map(created => created.job.agentId)).toEqual(["a", "b"])
    expect(list.map(created => created.job.phase)).toEqual(["HandedOver", "HandedOver"])
  })

  it("merges configs agent ← deployment ← version: maps key by key, lists as a whole", () => {
    const given = facts([agent({ config: { a: { x: 1, y: 2 }, l: [1, 2] } })], {
      deployment: { id: "d", jobAgentConfig: { a: { y: 3 } } },
      version: { id: "v", jobAgentConfig: { l: [9] } },
    })
    const [created] = createdBy(given)
    expect(created?.config).toEqual({ a: { x: 1, y: 3 }, l: [9] })
    expect(created?.dispatchContext.jobAgentConfig).toEqual(created?.config)
    expect(created?.dispatchContext.jobAgent).toMatchObject({ name: "runner", config: created?.config })
  })

  it("keeps a snapshot with every entity under the contract's names, and the version inside the release", () => {
    const [created] = createdBy(facts([agent()]))
    const context = created?.dispatchContext
    expect(Object.keys(context ?? {}).sort()).toEqual([
      "deployment",
      "environment",
      "jobAgent",
      "jobAgentConfig",
      "release",
      "resource",
      "variables",
      "version",
    ])
    expect(context?.release).toMatchObject({
      encryptedVariables: [],
      version: { tag: "1.0.0" },
      variables: { replicas: 3 },
    })
    expect(context?.variables).toEqual({ replicas: 3 })
  })

  it("copies git/commit of the version's metadata, and nothing else, to the job", () => {
    expect(createdBy(facts([agent()]))[0]?.metadata).toEqual({ "git/commit": "abc" })
  })

  it("gives a test runner ten minutes, other agents an hour, and what deadlineSeconds says where it says so", () => {
    const deadline = (rest: Parameters<typeof agent>[0]) => (createdBy(facts([agent(rest)]))[0]?.deadline ?? 0) - start
    expect(deadline({})).toBe(600 * second)
    expect(deadline({ type: "nats" })).toBe(3600 * second)
    expect(deadline({ config: { deadlineSeconds: 90 } })).toBe(90 * second)
    expect(deadline({ config: { deadlineSeconds: -1 } })).toBe(600 * second)
    expect(deadline({ config: { deadlineSeconds: "never" } })).toBe(600 * second)
  })

  it("queues the job of a pull agent until it is claimed", () => {
    expect(createdBy(facts([agent({ type: "http-pull", delivery: "pull" })]))[0]?.job.phase).toBe("Queued")
  })

  it("without a matching agent is one job, ended as invalidJobAgent, that says why, and settles at once", () => {
    const list = happens(undefined, started, facts([], { noAgent: "none of 3 agents matches" }))
    expect(list.map(event => event._tag)).toEqual(["JobsStarted", "SetSettled"])
    expect(list[1]).toEqual({ _tag: "SetSettled", outcome: "invalidJobAgent", message: "none of 3 agents matches" })
  })

  it("to an agent of a type no bridge knows ends as invalidJobAgent and names the type", () => {
    const list = happens(undefined, started, facts([{ ...agent({ type: "argo-cd" }), delivery: undefined }]))
    expect(list[1]).toMatchObject({ outcome: "invalidJobAgent", message: expect.stringContaining('"argo-cd"') })
  })

  it("whose release is gone still settles, naming what is missing", () => {
    expect(happens(undefined, started, { _tag: "Missing", message: "release x was not found" })[1]).toMatchObject({
      outcome: "invalidJobAgent",
      message: "release x was not found",
    })
  })

  it("is not made a second time", () => {
    expect(refusal(setOf(jobs.Running), started)).toBe("the job set was started before")
  })
})

describe("a set of two jobs", () => {
  it("settles with the end of the last one, successful when both were", () => {
    const both = setOf(jobs.Running, other)
    const first = after(both, reported({}))
    expect(first.phase).toBe("Active")
    const last = happens(first, reported({ jobId: other.jobId }))
    expect(last.at(-1)).toEqual({ _tag: "SetSettled", outcome: "successful" })
  })

  it("has the outcome and message of the first job that did not succeed", () => {
    const state = after(
      setOf(jobs.Running, other),
      reported({ jobId: other.jobId, status: "failure", message: "disk full" }),
    )
    expect(happens(state, reported({})).at(-1)).toEqual({
      _tag: "SetSettled",
      outcome: "failure",
      message: "disk full",
    })
  })

  it("leaves a tombstone that counts late reports and reopens for none", () => {
    const settled = after(setOf(jobs.Running), reported({}))
    expect(settled).toMatchObject({ phase: "Settled", outcome: "successful" })
    const late = after(settled, reported({ status: "failure" }), reported({ status: "inProgress" }))
    expect(late).toMatchObject({
      phase: "Settled",
      outcome: "successful",
      jobs: [{ status: "successful", ignoredReports: 2 }],
    })
    expect(refusal(settled, cancelled())).toBe("the job set has ended as successful")
  })
})

describe("a word about a job that ended", () => {
  it("is refused with a reason when its sender waits for an answer and wants something else", () => {
    const put = message({ type: "AgentReported", body: { jobId, status: "inProgress" } })
    expect(refusal(setOf(jobs.Ended, other), put)).toBe("the job has ended as skipped and never reopens")
  })

  it("is counted, not refused, when it only repeats the end", () => {
    const put = message({ type: "AgentReported", body: { jobId, status: "skipped" } })
    expect(happens(setOf(jobs.Ended, other), put)).toMatchObject([{ _tag: "ReportIgnored", why: "ended" }])
  })
})

describe("a job at its deadline", () => {
  it("that nobody claimed fails right away", () => {
    expect(jobAfter(jobs.Queued, timer(`deadline:${jobId}`))).toMatchObject({ phase: "Ended", status: "failure" })
    expect(happens(setOf(jobs.Queued, other), timer(`deadline:${jobId}`))).toMatchObject([
      { reason: "deadline", ran: false },
    ])
  })

  it("whose agent confirms the cancel is a failure with reason deadline", () => {
    const stopping = setOf(jobs.Stopping, other)
    const cancel = answered("cancel", { _tag: "Ended", status: "cancelled", message: "aborted" })
    expect(happens(stopping, cancel)).toMatchObject([
      { status: "failure", reason: "deadline", note: { message: "aborted" } },
    ])
  })

  it("that turns out to have succeeded is successful: the agent's word is the truth", () => {
    const probe = answered("probe", { _tag: "Ended", status: "successful" })
    expect(happens(setOf(jobs.Stopping, other), probe)).toEqual([
      { _tag: "JobEnded", jobId, status: "successful", note: {}, ran: true },
    ])
  })

  it("without a confirmed end is lost, stays active, and tells when it was last seen", () => {
    const state = after(setOf(jobs.Running), timer(`deadline:${jobId}`), timer(`patience:${jobId}`))
    expect(state).toMatchObject({ phase: "Active", jobs: [{ phase: "Lost", status: "inProgress", lastSeenAt: start }] })
  })

  it("when it is lost, ends by a late report, by a person, or by the agent's onLost setting", () => {
    expect(jobAfter(jobs.Lost, reported({ status: "successful" }))).toMatchObject({ status: "successful" })
    const person = message({ type: "AgentReported", body: { jobId, status: "cancelled", reportedBy: "user" } })
    expect(jobAfter(jobs.Lost, person)).toMatchObject({ phase: "Ended", status: "cancelled" })
    expect(happens(setOf(jobs.Lost, other), timer(`proceed:${jobId}`))).toMatchObject([
      { status: "externalRunNotFound", reason: "lost" },
    ])
  })
})

describe("a cancel", () => {
  it("ends a queued job at once, superseded when it was", () => {
    expect(happens(setOf(jobs.Queued), cancelled(true))).toMatchObject([
      { _tag: "JobEnded", status: "cancelled", reason: "superseded", note: { message: "1.1.0 goes first" } },
      { _tag: "SetSettled", outcome: "cancelled" },
    ])
  })

  it("of a running job waits for the confirmed end, which is then cancelled with reason superseded", () => {
    const stopping = after(setOf(jobs.Running), cancelled(true))
    expect(stopping).toMatchObject({ phase: "Active", jobs: [{ phase: "Stopping", outstanding: "cancel" }] })
    const end = happens(stopping, answered("cancel", { _tag: "Ended", status: "cancelled" }))
    expect(end[0]).toMatchObject({ status: "cancelled", reason: "superseded" })
  })

  it("does not overtake the hand-over: the agent is asked to stop once it has the job", () => {
    const stopping = after(setOf(jobs.HandedOver), cancelled())
    expect(stopping.jobs[0]).toMatchObject({ phase: "Stopping", outstanding: "dispatch", status: "pending" })
    const list = happens(stopping, answered("dispatch", { _tag: "Running", probeAfterMs: null }))
    expect(list.map(event => event._tag)).toEqual(["JobRunning", "JobAsked"])
    expect(list[1]).toMatchObject({ call: "cancel" })
  })

  it("of a hand-over that was then refused is over: it never started", () => {
    const stopping = after(setOf(jobs.HandedOver), cancelled())
    expect(happens(stopping, answered("dispatch", { _tag: "Rejected", message: "bad" }))[0]).toMatchObject({
      _tag: "JobEnded",
      status: "cancelled",
      reason: "cancelled",
      ran: false,
    })
  })

  it("that an agent cannot do leaves the job to end by itself", () => {
    const list = happens(setOf(jobs.Stopping, other), answered("cancel", { _tag: "Unsupported", message: "no" }))
    expect(list).toEqual([{ _tag: "JobAsked", jobId, call: "probe" }])
  })
})

describe("an agent that is sure not to have the job", () => {
  const unknown = (attempt: number) => answered("probe", { _tag: "Unknown", message: "no such run" }, attempt)

  it("is offered it again under the next attempt, and reports of the old one are ignored", () => {
    const again = after(setOf(jobs.HandedOver), unknown(2))
    expect(again.jobs[0]).toMatchObject({ phase: "HandedOver", attempt: 3 })
    expect(happens(again, reported({ attempt: 2 }))).toMatchObject([{ _tag: "ReportIgnored", why: "older attempt" }])
  })

  it("is not offered it for ever", () => {
    const last = { ...jobs.HandedOver, attempt: attemptsMax }
    expect(happens(setOf(last, other), unknown(attemptsMax))).toMatchObject([{ status: "invalidIntegration" }])
  })

  it("when the job is known to have run means that the run vanished", () => {
    expect(jobAfter(jobs.Running, unknown(2))).toMatchObject({ phase: "Ended", status: "externalRunNotFound" })
  })
})
