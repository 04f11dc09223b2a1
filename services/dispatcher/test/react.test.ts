import type { ActorEffect, Input } from "@sluice/actor/definition"
import { describe, expect, it } from "vitest"
import { decide, type JobMessage } from "../src/decide.ts"
import { evolve } from "../src/evolve.ts"
import { dispatchValidFor, handOverPatience, lostPatience } from "../src/limits.ts"
import { react } from "../src/react.ts"
import type { StartFacts } from "../src/start.ts"
import type { JobSet } from "../src/state.ts"
import {
  agent,
  answered,
  cancelled,
  facts,
  jobId,
  jobSetId,
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

const effectsOf = (before: JobSet | undefined, input: Input<JobMessage>, given?: StartFacts, now = start) => {
  const decision = decide(before, input, given, moment(now))
  if (decision._tag === "Refused") throw new Error(decision.reason)
  const effects: Array<ActorEffect> = []
  decision.events.reduce<JobSet | undefined>((state, event) => {
    const after = evolve(state, event, moment(now))
    effects.push(...react(after, event, moment(now)))
    return after
  }, before)
  return effects
}
const calls = (effects: ReadonlyArray<ActorEffect>) =>
  effects.flatMap(effect => (effect._tag === "Activity" ? [(effect.payload as { call: string }).call] : []))
const timers = (effects: ReadonlyArray<ActorEffect>) =>
  Object.fromEntries(
    effects.flatMap(effect => (effect._tag === "SetTimer" ? [[effect.name.split(":")[0], effect.dueAt - start]] : [])),
  )
const sent = (effects: ReadonlyArray<ActorEffect>) =>
  effects.flatMap(effect => (effect._tag === "Send" ? [[effect.type, effect.key]] : []))
const published = (effects: ReadonlyArray<ActorEffect>) =>
  effects.flatMap(effect => (effect._tag === "Publish" ? [effect.event.type] : []))
const row = (effects: ReadonlyArray<ActorEffect>) =>
  effects.find(effect => effect._tag === "Project" && effect.projection === "job")

describe("a dispatch to a called agent", () => {
  const effects = effectsOf(undefined, started, facts([agent()]))

  it("hands the job over, and asks about it when no answer comes", () => {
    expect(calls(effects)).toEqual(["dispatch"])
    expect(timers(effects)).toEqual({ deadline: 600 * second, probe: handOverPatience })
  })

  it("is only worth carrying out for a while that ends before the first question", () => {
    const [work] = effects.filter(effect => effect._tag === "Activity")
    expect(work?.payload).toMatchObject({ deadline: start + dispatchValidFor, attempt: 1, jobSetId })
  })

  it("writes the active set, the pending job and the public event", () => {
    expect(effects).toContainEqual(
      expect.objectContaining({
        projection: "jobSet",
        row: expect.objectContaining({ _tag: "Started", targetKey: "target" }),
      }),
    )
    expect(row(effects)).toMatchObject({ row: { _tag: "Created", status: "pending", deadline: start + 600 * second } })
    expect(published(effects)).toEqual(["job.created"])
  })
})

describe("a pull agent", () => {
  it("is never called, whatever happens to its job", () => {
    const queue = effectsOf(undefined, started, facts([agent({ type: "http-pull", delivery: "pull" })]))
    expect(calls(queue)).toEqual([])
    expect(timers(queue)).toEqual({ deadline: 3600 * second })
    const claimed = { ...jobs.Running, delivery: "pull" } as const
    expect(calls(effectsOf(setOf(claimed, other), cancelled()))).toEqual(["cancel"]) // of the other, called one
    const late = effectsOf(setOf(claimed, other), timer(`deadline:${jobId}`))
    expect(calls(late)).toEqual([])
    expect(timers(late)).toEqual({ patience: lostPatience })
  })

  it("that claims starts the job: in progress, with its start time", () => {
    const effects = effectsOf(
      setOf(jobs.Queued),
      message({ type: "ClaimJob", body: { jobId, jobAgentId: jobs.Queued.agentId } }),
    )
    expect(row(effects)).toMatchObject({ row: { status: "inProgress", startedAt: start } })
    expect(sent(effects)).toEqual([["JobProgressed", "target"]])
  })
})

describe("a running job", () => {
  it("is asked about when its agent said so, and not when its agent reports by itself", () => {
    const asks = (probeAfterMs: number | null) =>
      effectsOf(setOf(jobs.HandedOver), answered("dispatch", { _tag: "Running", probeAfterMs }))
    expect(timers(asks(5_000))).toEqual({ probe: 5_000 })
    expect(asks(null)).toContainEqual({ _tag: "CancelTimer", name: `probe:${jobId}` })
  })

  it("keeps asking although an answer was lost", () => {
    const effects = effectsOf(setOf(jobs.Running), timer(`probe:${jobId}`))
    expect(calls(effects)).toEqual(["probe"])
    expect(timers(effects).probe).toBeGreaterThan(0)
  })

  it("that passes its deadline is cancelled, asked about and given a patience", () => {
    const effects = effectsOf(setOf(jobs.Running), timer(`deadline:${jobId}`))
    expect(calls(effects)).toEqual(["cancel"])
    expect(Object.keys(timers(effects)).sort()).toEqual(["patience", "probe"])
    expect(row(effects)).toMatchObject({ row: { status: "inProgress", reason: "deadline" } })
  })

  it("tells what its agent told: message, links, outputs, progress", () => {
    const note = { message: "half", links: { run: "https://ci/1" }, outputs: { url: "x" }, progress: 50 }
    const effects = effectsOf(setOf(jobs.Running), reported({ status: "inProgress", ...note }))
    expect(row(effects)).toMatchObject({ row: { message: "half", links: note.links, outputs: note.outputs } })
    expect(effects).toContainEqual(
      expect.objectContaining({ event: expect.objectContaining({ data: expect.objectContaining(note) }) }),
    )
  })
})

describe("a job that ended", () => {
  const effects = effectsOf(setOf(jobs.Running), reported({ status: "successful", message: "done" }))

  it("leaves no timer behind", () => {
    expect(effects.filter(effect => effect._tag === "CancelTimer")).toHaveLength(4)
  })

  it("tells its target first that it moved, then that the set settled, at the time of the end", () => {
    expect(sent(effects)).toEqual([
      ["JobProgressed", "target"],
      ["JobSettled", "target"],
    ])
    expect(effects.findLast(effect => effect._tag === "Send")?.body).toEqual({
      jobSetId,
      outcome: "successful",
      message: "done",
      jobIds: [jobId],
      at: start,
    })
  })

  it("frees the target's place and clears a reason that no longer holds", () => {
    expect(effects).toContainEqual(
      expect.objectContaining({
        projection: "jobSet",
        row: expect.objectContaining({ _tag: "Ended", outcome: "successful" }),
      }),
    )
    expect(row(effects)).toMatchObject({ row: { status: "successful", reason: null, completedAt: start } })
    expect(published(effects)).toEqual(["job.ended"])
  })
})

describe("a lost job", () => {
  it("is told to its target, keeps its place, and is asked about for as long as it holds it", () => {
    const effects = effectsOf(setOf(jobs.Stopping), timer(`patience:${jobId}`))
    expect(sent(effects)).toEqual([["JobLost", "target"]])
    expect(calls(effects)).toEqual(["probe"])
    expect(effects.some(effect => effect._tag === "Project" && effect.projection === "jobSet")).toBe(false)
  })

  it("is given up after the agent's onLost setting, where there is one", () => {
    const proceeding = { ...jobs.Stopping, proceedAfterMs: 7_000 }
    expect(timers(effectsOf(setOf(proceeding), timer(`patience:${jobId}`)))).toMatchObject({ proceed: 7_000 })
    expect(timers(effectsOf(setOf(jobs.Stopping), timer(`patience:${jobId}`)))).not.toHaveProperty("proceed")
  })
})

describe("an ignored report", () => {
  it("changes the count and nothing else", () => {
    const effects = effectsOf(setOf(jobs.Running), reported({ attempt: 1, status: "failure", message: "old" }))
    expect(effects).toEqual([
      expect.objectContaining({
        _tag: "Project",
        row: expect.objectContaining({ status: "inProgress", ignoredReports: 1 }),
      }),
    ])
    expect(row(effects)).not.toHaveProperty("row.message")
  })
})
