/** The drivers of this installation: one per agent type that is called. A new type is a file, a row here and a fixture. */
import type { Bus, Storage } from "@sluice/actor/ports"
import type { AgentDriver } from "@sluice/agents/driver"
import type { AgentStreams } from "./agent-streams.ts"
import { natsDriver } from "./nats-driver.ts"
import { testRunnerDriver } from "./test-runner-driver.ts"

export type Driver = AgentDriver<Bus | Storage | AgentStreams>

export const drivers: ReadonlyArray<Driver> = [testRunnerDriver, natsDriver]
