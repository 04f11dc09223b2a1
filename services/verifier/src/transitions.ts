/**
 * The transition table: what each input does in each phase, as the tags of the events it leads to, or "refused". A
 * running verification is shown by the phase of the metric the input is about. Documentation that a test walks.
 *
 * "…" after `Measured`: with the conclusion when the measurement fails the metric, or passes the last one.
 */

export const phases = ["Absent", "Waiting", "Asked", "Passed", "Concluded"] as const
export const inputs = [
  "StartVerification",
  "ProbeMeasured of the round that is out",
  "ProbeMeasured of an earlier round",
  "AbandonVerification",
  "timer probe",
  "timer deadline",
] as const

export type Phase = (typeof phases)[number]
export type InputName = (typeof inputs)[number]
export type Cell = "refused" | "Started" | "ProbeAsked" | "Measured…" | "MetricExpired, Concluded" | "Abandoned"

export const transitions: Readonly<Record<Phase, Readonly<Record<InputName, Cell>>>> = {
  Absent: {
    StartVerification: "Started",
    "ProbeMeasured of the round that is out": "refused",
    "ProbeMeasured of an earlier round": "refused",
    AbandonVerification: "refused",
    "timer probe": "refused",
    "timer deadline": "refused",
  },
  /** Between two probes, or before a sleeping one: no probe is out, so no answer counts. */
  Waiting: {
    StartVerification: "refused",
    "ProbeMeasured of the round that is out": "refused",
    "ProbeMeasured of an earlier round": "refused",
    AbandonVerification: "Abandoned",
    "timer probe": "ProbeAsked",
    "timer deadline": "MetricExpired, Concluded",
  },
  /** A probe is out; its timer now means "the answer is overdue". */
  Asked: {
    StartVerification: "refused",
    "ProbeMeasured of the round that is out": "Measured…",
    "ProbeMeasured of an earlier round": "refused",
    AbandonVerification: "Abandoned",
    "timer probe": "ProbeAsked",
    "timer deadline": "MetricExpired, Concluded",
  },
  /** This metric has passed, others are still running. A failed one leaves no such phase: it concludes. */
  Passed: {
    StartVerification: "refused",
    "ProbeMeasured of the round that is out": "refused",
    "ProbeMeasured of an earlier round": "refused",
    AbandonVerification: "Abandoned",
    "timer probe": "refused",
    "timer deadline": "refused",
  },
  Concluded: {
    StartVerification: "refused",
    "ProbeMeasured of the round that is out": "refused",
    "ProbeMeasured of an earlier round": "refused",
    AbandonVerification: "refused",
    "timer probe": "refused",
    "timer deadline": "refused",
  },
}
