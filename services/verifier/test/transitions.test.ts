import { describe, expect, it } from "vitest"
import { type InputName, inputs, type Phase, phases, transitions } from "../src/transitions.ts"
import { Drive, metric, started } from "./drive.ts"

const pair = () => started(metric({ name: "a", count: 2 }), metric({ name: "b", count: 2 }))

/** A verification in which metric 0 has just reached the phase. */
const reach: Readonly<Record<Phase, () => Drive>> = {
  Absent: () => new Drive(),
  Waiting: () => {
    const drive = pair()
    drive.answer("passed", { metric: 0 })
    return drive
  },
  Asked: () => {
    const drive = pair()
    drive.answer("passed", { metric: 0 })
    drive.fire("probe-0")
    return drive
  },
  Passed: () => {
    const drive = pair()
    drive.play("PP")
    return drive
  },
  Concluded: () => {
    const drive = pair()
    drive.answer("failed", { metric: 0 })
    return drive
  },
}

const apply: Readonly<Record<InputName, (drive: Drive) => ReadonlyArray<string> | string>> = {
  StartVerification: drive => drive.start(metric()),
  "ProbeMeasured of the round that is out": drive => drive.answer("failed", { round: Math.max(1, drive.roundOf(0)) }),
  "ProbeMeasured of an earlier round": drive => drive.answer("failed", { round: Math.max(1, drive.roundOf(0)) - 1 }),
  AbandonVerification: drive => drive.tell({ type: "AbandonVerification", body: { reason: "gone" } }),
  "timer probe": drive => drive.fire("probe-0"),
  "timer deadline": drive => drive.fire("deadline-0"),
}

const expected = (cell: (typeof transitions)[Phase][InputName]): ReadonlyArray<string> => {
  if (cell === "Measured…") return ["Measured", "Concluded"] // these tests answer "failed"
  if (cell === "Started") return ["Started", "ProbeAsked"]
  return cell.split(", ")
}

describe("the transition table", () => {
  const cells = phases.flatMap(phase => inputs.map(input => ({ phase, input, cell: transitions[phase][input] })))

  it.each(cells)("holds: $phase, $input → $cell", ({ phase, input, cell }) => {
    const drive = reach[phase]()
    const before = structuredClone(drive.state)
    const effectsBefore = drive.effects.length
    const outcome = apply[input](drive)
    if (cell === "refused") {
      expect(outcome).toEqual(expect.any(String))
      expect(drive.state).toEqual(before)
      expect(drive.effects).toHaveLength(effectsBefore)
    } else {
      expect(outcome).toEqual(expected(cell))
    }
  })
})
