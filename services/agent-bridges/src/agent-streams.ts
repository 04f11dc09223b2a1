/**
 * What the NATS driver needs from the broker beyond publishing: streams and consumers of agent work, and a look at the one
 * message that a job has there. A port of this service; JetStream itself is known to `bus` alone.
 */
import type { BusError } from "@sluice/actor/ports"
import type { Withdrawn } from "@sluice/agents/nats-agent"
import { Context, type Effect } from "effect"

export interface NatsAgent {
  readonly id: string
  /** Milliseconds an instance may be silent before its work goes to another; absent: the topology's default. */
  readonly ackWait?: number
}

export interface WorkAddress {
  readonly workspaceId: string
  readonly jobAgentId: string
  readonly jobId: string
}

export class AgentStreams extends Context.Service<
  AgentStreams,
  {
    /** The workspace's stream of agent work exists, with a durable consumer for each of these agents. Idempotent. */
    readonly ensure: (workspaceId: string, agents: ReadonlyArray<NatsAgent>) => Effect.Effect<void, BusError>
    /** Whether the job's work lies on the stream (waiting, or given out and not acknowledged). */
    readonly holds: (work: WorkAddress) => Effect.Effect<boolean, BusError>
    /**
     * Removes the job's work, so that it is never given out again, and says where it was. `untaken` must be certain: when a
     * delivery may have happened between looking and removing, the answer is `taken`.
     */
    readonly withdraw: (work: WorkAddress) => Effect.Effect<Withdrawn, BusError>
  }
>()("@sluice/agent-bridges/AgentStreams") {}
