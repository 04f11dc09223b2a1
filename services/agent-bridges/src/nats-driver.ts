/**
 * The native NATS agent: work is one message on the job's own subject, taken by the agent's durable consumer. The lease is
 * the consumer's ack-wait, the heartbeat an in-progress acknowledgement, the fence the attempt in every report; none of
 * these passes through here. What probe and cancel may claim is decided in `packages/agents/nats-agent`.
 */
import { Bus, type BusError, Storage, type StorageError } from "@sluice/actor/ports"
import type { AgentDriver, AgentJob, CallResult } from "@sluice/agents/driver"
import { answerToCancel, answerToProbe, workOf, workTimeToLive } from "@sluice/agents/nats-agent"
import type { JsonObject } from "@sluice/domain/json"
import { subjects } from "@sluice/protocol/subjects"
import { loadAgents } from "@sluice/store/job-facts"
import { Effect } from "effect"
import { AgentStreams, type NatsAgent } from "./agent-streams.ts"

export const natsDriver: AgentDriver<Bus | Storage | AgentStreams> = {
  type: "nats",
  // The broker forgets work that was acknowledged, so its absence proves nothing about the agent.
  saysUnknown: false,
  dispatch: job => orTransient(dispatch(job)),
  probe: job =>
    orTransient(
      Effect.gen(function* () {
        const streams = yield* AgentStreams
        return answerToProbe(job, yield* streams.holds(job))
      }),
    ),
  cancel: job =>
    orTransient(
      Effect.gen(function* () {
        const streams = yield* AgentStreams
        return answerToCancel(yield* streams.withdraw(job))
      }),
    ),
}

const dispatch = Effect.fnUntraced(function* (
  job: AgentJob,
): Effect.fn.Return<CallResult, BusError | StorageError, Bus | Storage | AgentStreams> {
  const bus = yield* Bus
  const streams = yield* AgentStreams
  yield* streams.ensure(job.workspaceId, yield* natsAgentsOf(job.workspaceId))
  const names = subjects(bus.namespace)
  const work = workOf(job, names.agentReport(job.workspaceId, job.jobAgentId))
  const [stored] = yield* bus.publish([
    {
      subject: names.agentWork(job.workspaceId, job.jobAgentId, job.jobId),
      data: new TextEncoder().encode(JSON.stringify(work)),
      messageId: `${job.jobId}:${job.attempt}`,
      timeToLive: workTimeToLive(job),
    },
  ])
  // The subject holds one message: a repeat that came too late to be recognised as one is refused by the broker.
  if (stored !== true && !(yield* streams.holds(job))) {
    return { _tag: "Transient", reason: "the broker did not store the work" }
  }
  return { _tag: "Running", probeAfterMs: null }
})

const natsAgentsOf = Effect.fnUntraced(function* (workspaceId: string) {
  const storage = yield* Storage
  const agents = yield* loadAgents(storage, [workspaceId])
  return (agents.get(workspaceId) ?? []).filter(agent => agent.type === "nats").map(natsAgentOf)
})

/** What of an agent's row its consumer is made from. */
export const natsAgentOf = (agent: { readonly id: string; readonly config: JsonObject }): NatsAgent => {
  const seconds = agent.config.ackWaitSeconds
  return typeof seconds === "number" && seconds > 0 ? { id: agent.id, ackWait: seconds * 1_000 } : { id: agent.id }
}

/** A broker or database that does not answer says nothing about the job. */
const orTransient = <R>(
  call: Effect.Effect<CallResult, BusError | StorageError, R>,
): Effect.Effect<CallResult, never, R> =>
  Effect.catch(call, error => Effect.succeed<CallResult>({ _tag: "Transient", reason: error.message }))
