/**
 * The job agent types this installation can work with: what each is called, how it gets its jobs, what its config may hold.
 * Adding a type is a row here, a driver in `agent-bridges`, a fixture in its test. Any other type may be saved, and its jobs
 * end as `invalidJobAgent`.
 */
import type { Schema } from "effect"

import { PullConfig } from "./http-pull.ts"
import { NatsConfig } from "./nats-agent.ts"
import { TestRunnerConfig } from "./test-runner.ts"

export interface AgentType {
  readonly type: "test-runner" | "http-pull" | "nats"
  /** One sentence for people. */
  readonly description: string
  /** `pull`: jobs wait as `queued` until the agent claims them over HTTP. `push`: a bridge hands them over. */
  readonly delivery: "pull" | "push"
  readonly canCancel: boolean
  /** Read from the merged config when a job is handed over; a config that does not decode rejects the job. */
  readonly config: Schema.Top
}

export const agentTypes: ReadonlyArray<AgentType> = [
  {
    type: "test-runner",
    description: "Pretends to deploy: waits, then ends as its config says. For trying things out.",
    delivery: "push",
    canCancel: true,
    config: TestRunnerConfig,
  },
  {
    type: "http-pull",
    description: "An agent that lists, claims and reports its jobs over HTTP.",
    delivery: "pull",
    canCancel: false,
    config: PullConfig,
  },
  {
    type: "nats",
    description: "An agent that takes its jobs from its own NATS subject and reports on another.",
    delivery: "push",
    canCancel: true,
    config: NatsConfig,
  },
]
