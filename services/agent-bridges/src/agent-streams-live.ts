/** The port of `agent-streams.ts` on the real broker: names from `protocol`, shape of streams from `nats/topology`. */
import { Bus } from "@sluice/actor/ports"
import { BusAdmin } from "@sluice/bus/bus"
import { consumers, streams, subjects } from "@sluice/protocol/subjects"
import { Effect, Layer } from "effect"
import { agentWorkStream } from "../../../nats/topology.ts"
import { AgentStreams, type WorkAddress } from "./agent-streams.ts"

export const agentStreamsLayer: Layer.Layer<AgentStreams, never, Bus | BusAdmin> = Layer.effect(
  AgentStreams,
  Effect.gen(function* () {
    const { namespace } = yield* Bus
    const admin = yield* BusAdmin
    const applied = new Map<string, string>()
    const place = (work: WorkAddress) => ({
      stream: streams(namespace).agentWork(work.workspaceId),
      subject: subjects(namespace).agentWork(work.workspaceId, work.jobAgentId, work.jobId),
      consumer: consumers.agentWork(work.jobAgentId),
    })
    return {
      ensure: (workspaceId, agents) =>
        Effect.suspend(() => {
          // The broker is asked once per change of the list; what it loses later, the bus repairs by itself.
          const wanted = JSON.stringify(agents)
          if (applied.get(workspaceId) === wanted) return Effect.void
          const jobAgents = agents.map(({ id, ackWait }) => (ackWait === undefined ? { id } : { id, ackWait }))
          return Effect.tap(admin.apply([agentWorkStream({ namespace }, { workspaceId, jobAgents })]), () =>
            Effect.sync(() => applied.set(workspaceId, wanted)),
          ).pipe(Effect.asVoid)
        }),
      holds: work => admin.holds(place(work)),
      withdraw: work => admin.takeBack(place(work)),
    }
  }),
)
