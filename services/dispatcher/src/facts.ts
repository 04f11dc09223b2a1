/**
 * What a dispatch needs to know, for a whole batch in two queries: the release with everything it is made of, and the
 * workspace's agents with the deployment's selector evaluated over them. Only `StartJobs` needs facts.
 */

import type { FactRequest } from "@sluice/actor/definition"
import type { StorageError, Tx } from "@sluice/actor/ports"
import { agentTypes } from "@sluice/agents/registry"
import type { StartJobs } from "@sluice/protocol/job"
import { type AgentRow, type DispatchRow, dispatchKey, loadAgents, loadDispatches } from "@sluice/store/job-facts"
import { Effect } from "effect"
import type { JobMessage } from "./decide.ts"
import { agentInputs, selectAgents } from "./select-agents.ts"
import type { MatchedAgent, StartFacts } from "./start.ts"
import type { Delivery, JobSet } from "./state.ts"

export const facts = Effect.fnUntraced(function* (
  tx: Tx,
  requests: ReadonlyArray<FactRequest<JobSet, JobMessage>>,
): Effect.fn.Return<ReadonlyMap<string, StartFacts>, StorageError> {
  const starts = requests.flatMap(request => {
    const start = request.state === undefined ? startOf(request) : undefined
    return start === undefined
      ? []
      : [{ key: request.key, workspaceId: request.workspaceId, releaseId: start.releaseId }]
  })
  if (starts.length === 0) return new Map()
  const dispatches = yield* loadDispatches(tx, starts)
  const agents = yield* loadAgents(tx, [...new Set(starts.map(start => start.workspaceId))])
  const inputs = agentInputs([...agents.values()].flat())
  return new Map(
    starts.map(start => {
      const row = dispatches.get(dispatchKey(start))
      const found: StartFacts =
        row === undefined
          ? { _tag: "Missing", message: `release ${start.releaseId}, or an entity it names, was not found` }
          : startFacts(row, agents.get(start.workspaceId) ?? [], inputs)
      return [start.key, found]
    }),
  )
})

const startOf = (request: FactRequest<JobSet, JobMessage>): StartJobs | undefined => {
  for (const input of request.inputs) {
    if (input._tag === "Message" && input.message.type === "StartJobs") return input.message.body
  }
  return undefined
}

const startFacts = (
  row: DispatchRow,
  agents: ReadonlyArray<AgentRow>,
  inputs: ReturnType<typeof agentInputs>,
): StartFacts => {
  const { deployment, environment, resource, version, release } = row
  const selection = selectAgents(row.jobAgentSelector, resource, agents, inputs)
  const found = { _tag: "Found", deployment, environment, resource, version, release } as const
  return selection._tag === "None"
    ? { ...found, agents: [], noAgent: selection.message }
    : {
        ...found,
        agents: selection.agents.map((agent): MatchedAgent => ({ ...agent, delivery: deliveryOf(agent.type) })),
      }
}

const deliveryOf = (type: string): Delivery | undefined => agentTypes.find(known => known.type === type)?.delivery
