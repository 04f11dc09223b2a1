import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { nameOf } from "../src/decide.ts"
import { evolve } from "../src/evolve.ts"
import { activeJobSet, goodReleasesMax, phaseNames, releasesMax, setbacksMax, type TargetState } from "../src/state.ts"
import { type Cell, transitions } from "../src/transitions.ts"
import { Drive, healthRule, uuid } from "./drive.ts"

type Step = (drive: Drive) => unknown
const person = { reason: "because", userId: "u" }
const version = fc.integer({ min: 1, max: 6 })

/** What may happen to a target, in any order, sensible or not. */
const step: fc.Arbitrary<readonly [string, Step]> = fc.oneof(
  { weight: 3, arbitrary: version.map(n => [`${n} goes through`, (d: Drive) => goesThrough(d, n)] as const) },
  { weight: 4, arbitrary: fc.constant(["look", (d: Drive) => d.look()] as const) },
  { weight: 4, arbitrary: fc.constant(["evaluate", (d: Drive) => d.fire("evaluate")] as const) },
  { weight: 2, arbitrary: fc.constant(["second look", (d: Drive) => d.fire("second-look")] as const) },
  fc.constant(["patience", (d: Drive) => d.fire("patience")] as const),
  version.map(n => [`publish ${n}`, (d: Drive) => d.publish(n)] as const),
  version.map(n => [`reject ${n}`, (d: Drive) => d.statuses.has(n) && d.publish(n, "rejected")] as const),
  { weight: 4, arbitrary: fc.constant(["success", (d: Drive) => d.end("successful")] as const) },
  { weight: 2, arbitrary: fc.constant(["failure", (d: Drive) => d.end("failure")] as const) },
  fc.constant(["cancelled", (d: Drive) => d.end("cancelled")] as const),
  fc.constant([
    "a stranger's job ends",
    (d: Drive) =>
      d.tell({ type: "JobSettled", body: { jobSetId: uuid(77), outcome: "successful", jobIds: [], at: d.now } }),
  ] as const),
  { weight: 3, arbitrary: fc.constant(["passed", (d: Drive) => d.conclude("passed")] as const) },
  { weight: 3, arbitrary: fc.constant(["failed", (d: Drive) => d.conclude("failed")] as const) },
  fc.constant(["lost", (d: Drive) => lost(d)] as const),
  fc.constant([
    "heard of",
    (d: Drive) =>
      d.tell({ type: "JobProgressed", body: { jobSetId: active(d) ?? uuid(0), jobId: uuid(9), status: "inProgress" } }),
  ] as const),
  fc.constant(["redeploy", (d: Drive) => d.tell({ type: "Redeploy", body: person })] as const),
  fc.constant(["release quarantine", (d: Drive) => d.tell({ type: "ReleaseQuarantine", body: person })] as const),
  fc.constant(["release hold", (d: Drive) => d.tell({ type: "ReleaseHold", body: person })] as const),
  fc.constant([
    "leave",
    (d: Drive) => {
      d.present = false
    },
  ] as const),
  fc.constant([
    "return",
    (d: Drive) => {
      d.present = true
    },
  ] as const),
  version.map(n => [`quarantine ${n} everywhere`, (d: Drive) => quarantine(d, n)] as const),
  fc.constant(["thaw", (d: Drive) => d.quarantined.clear()] as const),
  fc.constant([
    "a row goes",
    (d: Drive) => {
      d.incomplete = "a row is missing"
    },
  ] as const),
  fc.constant([
    "the row is back",
    (d: Drive) => {
      d.incomplete = undefined
    },
  ] as const),
)

/** Without it, chance alone seldom makes a release that one could return to. */
const goesThrough = (drive: Drive, n: number) => {
  drive.publish(n)
  drive.look()
  drive.end("successful")
  drive.conclude("passed")
  drive.fire("evaluate")
}
const active = (drive: Drive) => (drive.state === undefined ? undefined : activeJobSet(drive.state))
const lost = (drive: Drive) =>
  drive.tell({
    type: "JobLost",
    body: { jobSetId: active(drive) ?? uuid(0), jobId: uuid(9), lastSeenAt: drive.now, message: "gone" },
  })
const quarantine = (drive: Drive, n: number) =>
  drive.quarantined.set(n, { scope: "environment", reason: "it failed elsewhere", at: drive.now })

const rules = fc.subarray<Record<string, unknown>>([healthRule, { retry: { maxRetries: 1 } }, { rollback: {} }])

const history = fc.tuple(rules, fc.array(step, { minLength: 20, maxLength: 80, size: "max" }))

const play = (
  [bodies, steps]: readonly [ReadonlyArray<Record<string, unknown>>, ReadonlyArray<readonly [string, Step]>],
  check: (drive: Drive, before: TargetState | undefined) => void,
): Drive => {
  const drive = new Drive()
  drive.publish(1)
  drive.rules.push(...bodies)
  for (const [, run] of steps) {
    const before = drive.state
    drive.now += 1
    run(drive)
    check(drive, before)
  }
  return drive
}

const settings = { numRuns: 400 }

describe("whatever happens to a target", () => {
  it("never has a second job set before the first was settled (P1)", () => {
    fc.assert(
      fc.property(history, given => {
        const drive = play(given, () => {})
        let open: string | undefined
        for (const event of drive.events) {
          if (event._tag === "JobRequested" || event._tag === "RollbackRequested") {
            expect(open).toBeUndefined()
            open = event.run.jobSetId
          }
          if (event._tag === "TryEnded") {
            expect(event.run.jobSetId).toBe(open)
            open = undefined
          }
        }
        expect(drive.state && activeJobSet(drive.state)).toBe(open)
        const started = drive.effects.filter(effect => effect._tag === "Send" && effect.type === "StartJobs")
        const asked = drive.events.filter(event => event._tag === "JobRequested" || event._tag === "RollbackRequested")
        expect(started).toHaveLength(asked.length)
      }),
      settings,
    )
  })

  it("is taken back from a version at most once", () => {
    fc.assert(
      fc.property(history, given => {
        const drive = play(given, () => {})
        const from = drive.events.flatMap(event => (event._tag === "RollbackRequested" ? [event.from.versionId] : []))
        expect(new Set(from).size).toBe(from.length)
      }),
      settings,
    )
  })

  it("starts nothing while it is not there, and nothing that is rejected or quarantined", () => {
    fc.assert(
      fc.property(history, given => {
        play(given, (drive, before) => {
          const last = drive.events.at(-1)
          const started = drive.events.find(event => event._tag === "JobRequested" && event.run.startedAt === drive.now)
          if (started?._tag !== "JobRequested" || last === undefined) return
          expect(drive.present).toBe(true)
          expect(drive.statuses.get(Number(started.run.tag))).toBe("ready")
          expect(drive.quarantined.has(Number(started.run.tag))).toBe(false)
          expect(before?.setbacks.find(one => one.versionId === started.run.versionId)?.quarantined ?? false).toBe(
            false,
          )
        })
      }),
      settings,
    )
  })

  it("goes only where the table says, and its state is plain JSON that its events alone give back", () => {
    fc.assert(
      fc.property(history, given => {
        const drive = new Drive()
        const input = drive.input.bind(drive)
        drive.input = one => {
          const before = drive.state
          const seen = drive.events.length
          const result = input(one)
          const name = nameOf(one)
          const cell = name && (transitions[before?.phase._tag ?? "Idle"][name] as Cell)
          const after = drive.state
          if (drive.events.length > seen && cell?._tag === "Handled") expect(cell.to).toContain(after?.phase._tag)
          if (drive.events.length > seen && cell?._tag !== "Handled") throw new Error(`${name} was not to be handled`)
          expect(JSON.parse(JSON.stringify(after ?? null))).toEqual(after ?? null)
          const events = JSON.parse(JSON.stringify(drive.events.slice(seen)))
          const again = events.reduce(
            (state: TargetState | undefined, event: never) => evolve(state, event, drive),
            before,
          )
          expect(again).toEqual(after)
          return result
        }
        drive.publish(1)
        drive.rules.push(...given[0])
        for (const [, run] of given[1]) {
          drive.now += 1
          run(drive)
        }
      }),
      settings,
    )
  })

  it("comes, in these histories, through every phase and every kind of event", () => {
    const phases = new Set<string>()
    const events = new Set<string>()
    fc.assert(
      fc.property(history, given => {
        const drive = play(given, ({ state }) => phases.add(state?.phase._tag ?? "none"))
        for (const event of drive.events) events.add(event._tag)
      }),
      { ...settings, seed: 7 },
    )
    expect(phaseNames.filter(name => !phases.has(name))).toEqual([])
    expect(events.size).toBe(23) // all there are
  })

  it("stays bounded", () => {
    const drive = new Drive()
    drive.rules.push(healthRule)
    for (let n = 1; n <= 120; n++) {
      drive.publish(n)
      drive.look()
      drive.end("successful")
      drive.conclude(n % 2 === 0 ? "failed" : "passed")
      if (drive.state?.phase._tag === "Returning") {
        drive.end("successful")
        drive.conclude("passed")
      }
      drive.statuses.delete(n - 5)
    }
    expect(drive.state?.good.length).toBe(goodReleasesMax)
    expect(drive.state?.releases.length).toBe(releasesMax)
    expect(drive.state?.setbacks.length).toBe(setbacksMax)
    expect(JSON.stringify(drive.state).length).toBeLessThan(40_000)
  })

  it("a look at an unchanged world changes nothing", () => {
    fc.assert(
      fc.property(history, given => {
        const drive = play(given, () => {})
        for (let i = 0; i < 6; i++) {
          drive.look()
          if ((drive.timers.get("evaluate") ?? Number.POSITIVE_INFINITY) <= drive.now) drive.fire("evaluate")
          drive.fire("second-look")
        }
        const before = drive.events.length
        drive.look()
        expect(drive.events.slice(before).map(event => event._tag)).toEqual([])
      }),
      settings,
    )
  })
})
