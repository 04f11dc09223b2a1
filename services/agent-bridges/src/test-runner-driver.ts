/** The simulated agent: the pure answers of `packages/agents/test-runner`, behind the driver's interface. */
import { configured } from "@sluice/agents/configured"
import type { AgentDriver } from "@sluice/agents/driver"
import {
  answerToCancel,
  answerToDispatch,
  answerToProbe,
  repeatsOf,
  TestRunnerConfig,
} from "@sluice/agents/test-runner"
import { Effect } from "effect"

export const testRunnerDriver: AgentDriver = {
  type: "test-runner",
  saysUnknown: false,
  dispatch: job => Effect.succeed(configured(TestRunnerConfig, job, config => answerToDispatch(config, job))),
  probe: job => Effect.succeed(configured(TestRunnerConfig, job, config => answerToProbe(config, job))),
  cancel: job => Effect.succeed(configured(TestRunnerConfig, job, config => answerToCancel(config, job))),
  repeats: repeatsOf,
}
