/**
 * Every stream and durable consumer of an installation, as data: a function of its namespace, the replica count and the
 * workspaces whose agents speak NATS. Names come from `protocol/subjects`, making the broker agree is `bus/admin`; how long
 * things are kept, and why, is decided here.
 */
import type { ConsumerSpec, StreamSpec } from "@sluice/bus/stream-spec"
import { activityNames } from "@sluice/protocol/activities"
import { actorKinds } from "@sluice/protocol/envelope"
import { consumers, streams, subjects } from "@sluice/protocol/subjects"

export interface TopologyOptions {
  readonly namespace: string
  /** Copies of each stream in a NATS cluster; 1 unless told. */
  readonly replicas?: number
  /** Workspaces with NATS agents; each gets a stream of agent work. */
  readonly workspaces?: ReadonlyArray<WorkspaceAgents>
}

export interface WorkspaceAgents {
  readonly workspaceId: string
  readonly jobAgents: ReadonlyArray<{
    readonly id: string
    /** Milliseconds an agent may be silent before its work goes to another; 30 s unless told. */
    readonly ackWait?: number
  }>
}

const seconds = 1_000
const minutes = 60 * seconds
const hours = 60 * minutes

const mailboxAge = 24 * hours // nothing unapplied lives only there: outboxes send again, so a day is for looking at it
const eventAge = 7 * 24 * hours // who listens over NATS may be away for a week; the event table keeps everything
const duplicateWindow = 2 * minutes // saves work when an outbox is sent again; exactness does not depend on it
const agentAckWait = 30 * seconds // agents of users signal every ten
// Our own workers signal every two: what one of them held when it was killed is taken up again well within ten seconds.
const workerAckWait = 6 * seconds
const activityAckPendingMax = 256 // calls in flight per activity kind over all processes; each process has its own bound
const intakeAckPendingMax = 64 // the door commits one at a time per workspace, more only wait in memory
const reportAckPendingMax = 256 // a report is one short commit
const agentAckPendingMax = 64 // jobs that one agent runs at the same time, over all its processes

export const topology = (options: TopologyOptions): ReadonlyArray<StreamSpec> => [
  ...actorKinds.map(kind => mailboxStream(options, kind)),
  activityStream(options),
  intakeStream(options),
  agentReportStream(options),
  eventStream(options),
  ...(options.workspaces ?? []).map(workspace => agentWorkStream(options, workspace)),
]

const mailboxStream = (options: TopologyOptions, kind: (typeof actorKinds)[number]): StreamSpec => ({
  ...common(options),
  name: streams(options.namespace).mailbox(kind),
  description: `inbox of the ${kind} actors`,
  subjects: [subjects(options.namespace).kind(kind)],
  retention: "limits",
  maxAge: mailboxAge,
  consumers: [],
})

const activityStream = (options: TopologyOptions): StreamSpec => ({
  ...common(options),
  name: streams(options.namespace).activity(),
  description: "work for activities, one durable consumer each",
  subjects: activityNames.map(name => subjects(options.namespace).activities(name)),
  retention: "workqueue",
  consumers: activityNames.map(name =>
    consumer(consumers.activity(name), subjects(options.namespace).activities(name), activityAckPendingMax),
  ),
})

/** What CI was told is stored stays until the gateway has committed it. */
const intakeStream = (options: TopologyOptions): StreamSpec => ({
  ...common(options),
  name: streams(options.namespace).intake(),
  description: "versions published over NATS, until the gateway committed them",
  subjects: [subjects(options.namespace).intakes()],
  retention: "workqueue",
  consumers: [consumer(consumers.intake(), subjects(options.namespace).intakes(), intakeAckPendingMax)],
})

const agentReportStream = (options: TopologyOptions): StreamSpec => ({
  ...common(options),
  name: streams(options.namespace).agentReports(),
  description: "reports of NATS agents, until the gateway committed them",
  subjects: [subjects(options.namespace).agentReports()],
  retention: "workqueue",
  consumers: [consumer(consumers.agentReports(), subjects(options.namespace).agentReports(), reportAckPendingMax)],
})

const eventStream = (options: TopologyOptions): StreamSpec => ({
  ...common(options),
  name: streams(options.namespace).events(),
  description: "public events",
  subjects: [subjects(options.namespace).events()],
  retention: "limits",
  maxAge: eventAge,
  consumers: [],
})

/**
 * One subject per job with at most one message on it. A second is refused rather than put in its place: an agent may be
 * at work on the first, and a replacement would be handed to the next free one. Who wants another attempt purges first.
 */
export const agentWorkStream = (options: TopologyOptions, workspace: WorkspaceAgents): StreamSpec => {
  const { workspaceId, jobAgents } = workspace
  const names = subjects(options.namespace)
  return {
    ...common(options),
    name: streams(options.namespace).agentWork(workspaceId),
    description: "work for the NATS agents of a workspace, one subject per job",
    subjects: [names.workspaceAgentWork(workspaceId)],
    retention: "workqueue",
    messagesPerSubjectMax: 1,
    consumers: jobAgents.map(agent => ({
      ...consumer(consumers.agentWork(agent.id), names.agentWorkOf(workspaceId, agent.id), agentAckPendingMax),
      ackWait: agent.ackWait ?? agentAckWait,
    })),
  }
}

const common = (options: TopologyOptions) => ({ duplicateWindow, replicas: options.replicas ?? 1 })

const consumer = (name: string, filterSubject: string, ackPendingMax: number): ConsumerSpec => ({
  name,
  filterSubject,
  ackWait: workerAckWait,
  ackPendingMax,
})
