import type { Input } from "@sluice/actor/definition"
import { describe, expect, it } from "vitest"
import { initialState, type Phase, type PhaseName, phaseNames, type TargetState } from "../src/state.ts"
import { type Cell, type InputName, type TargetMessage, transitions } from "../src/transitions.ts"
import { Drive, healthRule, uuid } from "./drive.ts"

const good = { releaseId: uuid(201), versionId: uuid(101), tag: "1" }
const bad = { releaseId: uuid(202), versionId: uuid(102), tag: "2" }
const run = { ...bad, jobSetId: uuid(50), try: 1, startedAt: 1 }
const ended = { ...run, jobIds: [uuid(9)] }
const returning = { ...good, jobSetId: uuid(50), try: 2, startedAt: 1 }
const check = { _tag: "Running", verificationId: uuid(60), startedAt: 1 } as const
const from = { versionId: bad.versionId, tag: bad.tag }

const phases: { readonly [P in PhaseName]: Extract<Phase, { readonly _tag: P }> } = {
  Idle: { _tag: "Idle" },
  Waiting: { _tag: "Waiting" },
  Deploying: { _tag: "Deploying", run },
  Verifying: { _tag: "Verifying", run: ended, check },
  Returning: { _tag: "Returning", from, run: returning },
  VerifyingReturn: { _tag: "VerifyingReturn", from, run: { ...returning, jobIds: [] }, check },
  Lost: { _tag: "Lost", was: { _tag: "Deploying", run }, jobId: uuid(9), lastSeenAt: 1, message: "gone" },
  Held: { _tag: "Held", reason: "it failed", since: 1, about: from },
}

const stateIn = (phase: PhaseName): TargetState => ({
  ...initialState,
  phase: phases[phase],
  current: good,
  lastTried: phase === "Returning" || phase === "VerifyingReturn" ? good : bad,
  good: [good],
  releases: [
    { ...good, tries: 1 },
    { ...bad, tries: 1 },
  ],
  setbacks: [{ ...from, reason: "r", at: 1, quarantined: true, rolledBack: false, failed: true, leftToPeople: false }],
})

const settled = (outcome: "successful" | "failure"): TargetMessage => ({
  type: "JobSettled",
  body: { jobSetId: uuid(50), outcome, jobIds: [], at: 5 },
})
const concluded = (status: "passed" | "failed"): TargetMessage => ({
  type: "VerificationConcluded",
  body: { verificationId: uuid(60), status, message: "m", at: 5 },
})
const person = { reason: "because", userId: "u" }
const message = (one: TargetMessage): Input<TargetMessage> => ({ _tag: "Message", id: "m", message: one })
const timer = (name: string): Input<TargetMessage> => ({ _tag: "Timer", name, payload: {} })

const inputs: { readonly [N in InputName]: ReadonlyArray<Input<TargetMessage>> } = {
  Look: [message({ type: "Reconcile", body: { reason: "r" } }), timer("evaluate"), timer("second-look")],
  JobProgressed: [uuid(9), uuid(10)].map(jobId =>
    message({ type: "JobProgressed", body: { jobSetId: uuid(50), jobId, status: "inProgress" } }),
  ),
  JobSettled: [message(settled("successful")), message(settled("failure"))],
  JobLost: [message({ type: "JobLost", body: { jobSetId: uuid(50), jobId: uuid(9), lastSeenAt: 1, message: "gone" } })],
  VerificationConcluded: [message(concluded("passed")), message(concluded("failed"))],
  Redeploy: [message({ type: "Redeploy", body: person })],
  ReleaseQuarantine: [message({ type: "ReleaseQuarantine", body: person })],
  ReleaseHold: [message({ type: "ReleaseHold", body: person })],
  Patience: [timer("patience")],
}
const inputNames = Object.keys(inputs) as ReadonlyArray<InputName>

/** What the world may look like when an input arrives. */
const worlds: Record<string, (drive: Drive) => void> = {
  "as it should be": () => {},
  "with something to verify": drive => drive.rules.push(healthRule),
  "with retries": drive => drive.rules.push({ retry: { maxRetries: 3 } }),
  "with rollback of failed jobs": drive => drive.rules.push({ rollback: {} }),
  "without the target": drive => {
    drive.present = false
  },
  "with a row missing": drive => {
    drive.incomplete = "the row is missing"
  },
  "with the version quarantined everywhere": drive =>
    drive.quarantined.set(2, { scope: "environment", reason: "it failed elsewhere", at: 1 }),
  "with a policy that cannot be used": drive => drive.rules.push({ retry: { maxRetries: "x" } }),
  "with a newer version": drive => drive.publish(3),
}

const driveIn = (phase: PhaseName, arrange: (drive: Drive) => void): Drive => {
  const drive = new Drive()
  drive.publish(1)
  drive.publish(2)
  arrange(drive)
  drive.state = stateIn(phase)
  return drive
}

describe.each(phaseNames)("a target that is %s", phase => {
  describe.each(inputNames)("and hears %s", name => {
    const cell = transitions[phase][name] as Cell
    it(cell._tag === "Handled" ? `goes to ${cell.to.join(" or ")}` : `is ${cell._tag.toLowerCase()}`, () => {
      for (const [world, arrange] of Object.entries(worlds)) {
        for (const input of inputs[name]) {
          const drive = driveIn(phase, arrange)
          const result = drive.input(input)
          const after = drive.state?.phase._tag
          if (cell._tag === "Refused") expect(result, world).toBe(cell.why)
          else if (cell._tag === "Ignored") expect([result, after], world).toEqual([[], phase])
          else if (typeof result === "string") expect(after, world).toBe(phase)
          else if (result.length > 0) expect(cell.to, `${world}: ${result.join(", ")}`).toContain(after)
        }
      }
    })
  })
})

describe("the table", () => {
  it("promises no phase that none of the worlds leads to", () => {
    const promised: Array<string> = []
    const reached = new Set<string>()
    for (const phase of phaseNames) {
      for (const name of inputNames) {
        const cell = transitions[phase][name] as Cell
        if (cell._tag !== "Handled") continue
        promised.push(...cell.to.map(to => `${phase} × ${name} → ${to}`))
        for (const arrange of Object.values(worlds)) {
          for (const variant of variantsOf(phase)) {
            for (const input of inputs[name]) {
              const drive = driveIn(phase, arrange)
              drive.state = variant(drive.state as TargetState)
              drive.input(input)
              reached.add(`${phase} × ${name} → ${drive.state?.phase._tag}`)
            }
          }
        }
      }
    }
    expect(promised.filter(one => !reached.has(one))).toEqual([])
  })
})

/** States of a phase that differ in what the target has been through. */
const variantsOf = (phase: PhaseName): ReadonlyArray<(state: TargetState) => TargetState> => [
  state => state,
  state => ({ ...state, good: [] }),
  state => ({ ...state, setbacks: [] }),
  state => ({ ...state, setbacks: [], current: bad, tries: [{ outcome: "successful", endedAt: 1 }] }),
  state => ({ ...state, setbacks: state.setbacks.map(one => ({ ...one, quarantined: false, rolledBack: true })) }),
  state => ({ ...state, suspended: phases.Verifying }),
  state => ({ ...state, suspended: phases.VerifyingReturn }),
  state => (phase === "Lost" ? { ...state, phase: { ...phases.Lost, was: phases.Returning } } : state),
  state =>
    phase === "Returning"
      ? { ...state, phase: { ...phases.Returning, run: { ...returning, interrupted: true } } }
      : state,
  state => (phase === "Deploying" ? { ...state, phase: { ...phases.Deploying, recalled: { reason: "r" } } } : state),
  state =>
    phase === "Verifying"
      ? { ...state, phase: { ...phases.Verifying, check: { _tag: "Unknown", reason: "r" } } }
      : state,
  state =>
    phase === "VerifyingReturn"
      ? { ...state, phase: { ...phases.VerifyingReturn, check: { _tag: "Unknown", reason: "r" } } }
      : state,
]
