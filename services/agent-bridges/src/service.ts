/**
 * What the agent bridges run: the calls to agents, and the streams from which NATS agents take their work. An agent is
 * created over HTTP and connects by itself, perhaps long before its first job, so its consumer is made when it appears.
 */
import { runActivities } from "@sluice/activity/runtime"
import { Storage } from "@sluice/actor/ports"
import type { Service } from "@sluice/process/service"
import { loadNatsAgents } from "@sluice/store/nats-agents"
import { Effect } from "effect"
import { AgentStreams } from "./agent-streams.ts"
import { agentStreamsLayer } from "./agent-streams-live.ts"
import { callAgent } from "./call-agent.ts"
import { natsAgentOf } from "./nats-driver.ts"

/** A new agent waits this long for its consumer at most; the look is one index-only read of a small table. */
const lookEvery = 1_000

export const agentBridgesService: Service = {
  name: "agent-bridges",
  actors: [],
  doors: false,
  run: () =>
    Effect.gen(function* () {
      yield* runActivities([callAgent])
      yield* ensureStreams.pipe(
        Effect.catch(error => Effect.logWarning(`the streams of NATS agents: ${error.message}; trying again`)),
        Effect.andThen(Effect.sleep(lookEvery)),
        Effect.forever,
        Effect.forkScoped,
      )
    }).pipe(Effect.provide(agentStreamsLayer)),
}

const ensureStreams = Effect.gen(function* () {
  const storage = yield* Storage
  const streams = yield* AgentStreams
  const agents = yield* loadNatsAgents(storage)
  for (const [workspaceId, list] of agents) yield* streams.ensure(workspaceId, list.map(natsAgentOf))
})
