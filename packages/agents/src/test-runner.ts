/**
 * `test-runner`: a simulated agent without any memory. Everything it says follows from the job, its config and the time, so
 * it survives restarts and says the same thing twice. Its scenarios are the ways in which real agents go wrong.
 */
import { fnv1a64 } from "@sluice/domain/hash"
import type { JobStatus } from "@sluice/domain/job-status"
import { Schema } from "effect"
import { commonConfig } from "./common-config.ts"
import type { AgentAnswer, AgentJob } from "./driver.ts"

export const scenarios = [
  /** Ends well after the delay. */
  "succeed",
  /** Ends as `failure` after the delay. */
  "fail",
  /** Fails the first `flapTries` tries of a release, then succeeds. */
  "flap",
  /** Does the work and says nothing; asked about it, it tells. The deadline's probe finds the truth. */
  "lose-report",
  /** Tells its end twice. */
  "repeat-report",
  /** Never ends, and cannot be cancelled. */
  "never",
  /** One of the above, drawn from seed, target and try. */
  "seeded",
] as const
export const Scenario = Schema.Literals(scenarios)
export type Scenario = typeof Scenario.Type

export const delaySecondsDefault = 5
export const flapTriesDefault = 1

export const TestRunnerConfig = Schema.Struct({
  ...commonConfig,
  delaySeconds: Schema.optionalKey(Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))),
  /** `failure` ends as failure, anything else well: the contract's rule. A scenario goes before it. */
  status: Schema.optionalKey(Schema.String),
  message: Schema.optionalKey(Schema.String),
  scenario: Schema.optionalKey(Scenario),
  /** For `seeded`. */
  seed: Schema.optionalKey(Schema.Finite),
  flapTries: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))),
})
export type TestRunnerConfig = typeof TestRunnerConfig.Type

export const answerToDispatch = (config: TestRunnerConfig, job: AgentJob): AgentAnswer => {
  const scenario = scenarioOf(config, job)
  // These two promise to report by themselves, and do not.
  if (scenario === "lose-report" || scenario === "never") return { _tag: "Running", probeAfterMs: null }
  return state(config, scenario, job)
}

export const answerToProbe = (config: TestRunnerConfig, job: AgentJob): AgentAnswer => {
  const scenario = scenarioOf(config, job)
  return scenario === "never" ? { _tag: "Running", probeAfterMs: null } : state(config, scenario, job)
}

export const answerToCancel = (config: TestRunnerConfig, job: AgentJob): AgentAnswer => {
  const scenario = scenarioOf(config, job)
  if (scenario === "never") return { _tag: "Unsupported", message: "the scenario `never` cannot be cancelled" }
  const now = state(config, scenario, job)
  return now._tag === "Ended" ? now : { _tag: "Ended", status: "cancelled", message: "cancelled" }
}

/** How often an end is told. */
export const repeatsOf = (job: AgentJob): number =>
  Schema.is(TestRunnerConfig)(job.config) && scenarioOf(job.config, job) === "repeat-report" ? 2 : 1

const state = (config: TestRunnerConfig, scenario: Scenario, job: AgentJob): AgentAnswer => {
  const delay = (config.delaySeconds ?? delaySecondsDefault) * 1_000
  const left = Math.ceil(job.createdAt + delay - job.now)
  if (left > 0) return { _tag: "Running", probeAfterMs: left }
  const status = statusOf(config, scenario, job)
  return { _tag: "Ended", status, message: config.message ?? `the test runner ended as ${status}` }
}

const statusOf = (config: TestRunnerConfig, scenario: Scenario, job: AgentJob): JobStatus => {
  if (scenario === "fail") return "failure"
  if (scenario === "flap") return job.try <= (config.flapTries ?? flapTriesDefault) ? "failure" : "successful"
  return config.status === "failure" ? "failure" : "successful"
}

/** Of a hundred draws; mostly well, so that a pipeline of seeded agents gets somewhere. */
const drawn: ReadonlyArray<readonly [below: number, scenario: Scenario]> = [
  [70, "succeed"],
  [85, "fail"],
  [95, "repeat-report"],
  [100, "lose-report"],
]

/** What this job plays: fixed for a target and try, whatever job id it got. */
export const scenarioOf = (config: TestRunnerConfig, job: Pick<AgentJob, "targetKey" | "try">): Scenario => {
  const scenario = config.scenario ?? "succeed"
  if (scenario !== "seeded") return scenario
  const { high, low } = fnv1a64(`${config.seed ?? 0}:${job.targetKey}:${job.try}`)
  const draw = ((high ^ low) >>> 0) % 100
  return drawn.find(([below]) => draw < below)?.[1] ?? "succeed"
}
