/** The streams of these tests, small forms of what `nats/topology.ts` has. */
import type { StreamSpec } from "@sluice/bus/stream-spec"

export const mailbox: StreamSpec = {
  name: "t_target",
  description: "a mailbox",
  subjects: ["t.target.>"],
  retention: "limits",
  maxAge: 3_600_000,
  duplicateWindow: 120_000,
  replicas: 1,
  consumers: [],
}

export const queue: StreamSpec = {
  name: "t_activity",
  description: "a work queue",
  subjects: ["t.activity.>"],
  retention: "workqueue",
  duplicateWindow: 120_000,
  replicas: 1,
  consumers: [{ name: "probe", filterSubject: "t.activity.probe.>", ackWait: 2_000, ackPendingMax: 64 }],
}

export const agentWork: StreamSpec = {
  name: "t_agent",
  description: "one message per subject",
  subjects: ["t.agent.>"],
  retention: "workqueue",
  messagesPerSubjectMax: 1,
  duplicateWindow: 120_000,
  replicas: 1,
  consumers: [],
}
