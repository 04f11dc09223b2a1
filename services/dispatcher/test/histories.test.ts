import type { ActorEffect, Input } from "@sluice/actor/definition"
import { isTerminal, type JobStatus } from "@sluice/domain/job-status"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { decide, type JobMessage } from "../src/decide.ts"
import { evolve } from "../src/evolve.ts"
import { react } from "../src/react.ts"
import type { JobSet } from "../src/state.ts"
import { agent, facts, message, moment, start, started } from "./fixtures.ts"

/** A step of a random history, before it is known which jobs and timers there are. */
type Step =
  | { readonly do: "timer"; readonly pick: number }
  | { readonly do: "report"; readonly pick: number; readonly attempt: number | undefined; readonly status: JobStatus }
  | {
      readonly do: "answer"
      readonly pick: number
      readonly attempt: number
      readonly call: number
      readonly outcome: number
    }
  | { readonly do: "cancel" | "start" }
  | { readonly do: "claim"; readonly pick: number }

const statuses: ReadonlyArray<JobStatus> = [
  "pending",
  "inProgress",
  "actionRequired",
  "successful",
  "failure",
  "cancelled",
]
const calls = ["dispatch", "probe", "cancel"] as const
const outcomes = [
  { _tag: "Running", probeAfterMs: 1_000 },
  { _tag: "Running", probeAfterMs: null },
  { _tag: "Ended", status: "successful" },
  { _tag: "Ended", status: "failure" },
  { _tag: "Unknown", message: "unknown" },
  { _tag: "Rejected", message: "rejected" },
  { _tag: "Unsupported", message: "unsupported" },
] as const

const pick = fc.nat(7)
const steps: fc.Arbitrary<ReadonlyArray<Step>> = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant("timer" as const), pick }),
    fc.record({ do: fc.constant("timer" as const), pick }),
    fc.record({
      do: fc.constant("report" as const),
      pick,
      attempt: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
      status: fc.constantFrom(...statuses),
    }),
    fc.record({
      do: fc.constant("answer" as const),
      pick,
      attempt: fc.integer({ min: 1, max: 3 }),
      call: fc.nat(calls.length - 1),
      outcome: fc.nat(outcomes.length - 1),
    }),
    fc.record({ do: fc.constantFrom("cancel" as const, "start" as const) }),
    fc.record({ do: fc.constant("claim" as const), pick }),
  ),
  { maxLength: 60 },
)

interface World {
  state: JobSet | undefined
  now: number
  readonly timers: Map<string, number>
  readonly effects: Array<ActorEffect>
}

const apply = (world: World, input: Input<JobMessage>): void => {
  const given = facts([
    agent({ id: "agent-a", config: { onLost: { proceedAfterSeconds: 60 } } }),
    agent({ id: "agent-b", type: "http-pull", delivery: "pull" }),
  ])
  const decision = decide(world.state, input, given, moment(world.now))
  if (decision._tag === "Refused") return
  for (const event of decision.events) {
    world.state = evolve(world.state, event, moment(world.now))
    for (const effect of react(world.state, event, moment(world.now))) {
      world.effects.push(effect)
      if (effect._tag === "SetTimer") world.timers.set(effect.name, effect.dueAt)
      if (effect._tag === "CancelTimer") world.timers.delete(effect.name)
    }
  }
}

const inputOf = (world: World, step: Step): Input<JobMessage> | undefined => {
  const jobs = world.state?.jobs ?? []
  const job = "pick" in step ? jobs[step.pick % Math.max(jobs.length, 1)] : undefined
  switch (step.do) {
    case "start":
      return started
    case "cancel":
      return message({ type: "CancelJobs", body: { reason: "enough", superseded: true } })
    case "timer": {
      const [due] = [...world.timers].toSorted((a, b) => a[1] - b[1]).slice(step.pick % 2)
      if (due === undefined) return undefined
      world.timers.delete(due[0])
      world.now = Math.max(world.now, due[1])
      return { _tag: "Timer", name: due[0], payload: {} }
    }
    case "report":
      return (
        job &&
        message({
          type: "AgentReported",
          body: {
            jobId: job.jobId,
            status: step.status,
            ...(step.attempt === undefined ? {} : { attempt: step.attempt }),
          },
        })
      )
    case "answer": {
      const [call, outcome] = [calls[step.call], outcomes[step.outcome]]
      if (job === undefined || call === undefined || outcome === undefined) return undefined
      return message({ type: "AgentAnswered", body: { jobId: job.jobId, attempt: step.attempt, call, outcome } })
    }
    case "claim":
      return job && message({ type: "ClaimJob", body: { jobId: job.jobId, jobAgentId: job.agentId ?? "" } })
  }
}

const play = (history: ReadonlyArray<Step>, check: (world: World, before: JobSet | undefined) => void): World => {
  const world: World = { state: undefined, now: start, timers: new Map(), effects: [] }
  for (const step of [{ do: "start" } as const, ...history]) {
    const before = world.state
    world.now += 10
    const input = inputOf(world, step)
    if (input !== undefined) apply(world, input)
    check(world, before)
  }
  return world
}

const sends = (world: World, type: string) =>
  world.effects.filter(effect => effect._tag === "Send" && effect.type === type)

describe("whatever happens to a job set, in whatever order", () => {
  it("a job that ended never reopens, and its end never changes", () => {
    fc.assert(
      fc.property(steps, history => {
        play(history, (world, before) => {
          for (const [index, job] of (before?.jobs ?? []).entries()) {
            if (job.phase !== "Ended") continue
            const { ignoredReports: _, ...end } = job
            expect(world.state?.jobs[index]).toMatchObject(end)
          }
        })
      }),
    )
  })

  it("an attempt never goes down", () => {
    fc.assert(
      fc.property(steps, history => {
        play(history, (world, before) => {
          for (const [index, job] of (before?.jobs ?? []).entries()) {
            expect(world.state?.jobs[index]?.attempt).toBeGreaterThanOrEqual(job.attempt)
          }
        })
      }),
    )
  })

  it("the target hears of its settling once, exactly when the last job has ended", () => {
    fc.assert(
      fc.property(steps, history => {
        const world = play(history, now => {
          const over = now.state?.jobs.every(job => job.phase === "Ended")
          expect(now.state?.phase).toBe(over ? "Settled" : "Active")
          expect(sends(now, "JobSettled")).toHaveLength(over ? 1 : 0)
        })
        const last = [...world.effects]
          .reverse()
          .find(effect => effect._tag === "Project" && effect.projection === "jobSet")
        expect(last).toMatchObject({ row: { _tag: world.state?.phase === "Settled" ? "Ended" : "Started" } })
      }),
    )
  })

  it("each attempt is handed over once, and never to a job that ended or is being stopped", () => {
    fc.assert(
      fc.property(steps, history => {
        const world = play(history, () => {})
        const dispatches = world.effects.flatMap(effect =>
          effect._tag === "Activity" && effect.key.endsWith("-dispatch") ? [effect.key] : [],
        )
        expect(new Set(dispatches).size).toBe(dispatches.length)
      }),
    )
  })

  it("every job that has not ended has a timer, so every wait ends or is asked about; an ended one has none", () => {
    fc.assert(
      fc.property(steps, history => {
        play(history, world => {
          for (const job of world.state?.jobs ?? []) {
            const timers = [...world.timers.keys()].filter(name => name.endsWith(job.jobId))
            if (job.phase === "Ended") expect(timers).toEqual([])
            // A lost pull job without `onLost` waits for a person, and its target says so.
            else if (!(job.phase === "Lost" && job.delivery === "pull")) expect(timers).not.toEqual([])
          }
        })
      }),
    )
  })

  it("its row says what its state says, and never leaves a terminal status", () => {
    fc.assert(
      fc.property(steps, history => {
        const world = play(history, () => {})
        const rows = new Map<string, JobStatus>()
        for (const effect of world.effects) {
          if (effect._tag !== "Project" || effect.projection !== "job") continue
          const { id, status } = effect.row as { readonly id: string; readonly status: JobStatus }
          const before = rows.get(id)
          if (before !== undefined && isTerminal(before)) expect(status).toBe(before)
          rows.set(id, status)
        }
        for (const job of world.state?.jobs ?? []) {
          expect(isTerminal(rows.get(job.jobId) ?? "pending")).toBe(job.phase === "Ended")
        }
      }),
    )
  })

  it("left alone, it settles by its timers", () => {
    fc.assert(
      fc.property(steps, history => {
        const world = play(history, () => {})
        for (let round = 0; round < 1_000 && world.timers.size > 0; round++) {
          const input = inputOf(world, { do: "timer", pick: 0 })
          if (input !== undefined) apply(world, input)
        }
        const left = (world.state?.jobs ?? []).filter(job => job.phase !== "Ended")
        expect(left.every(job => job.phase === "Lost")).toBe(true)
      }),
    )
  })
})
