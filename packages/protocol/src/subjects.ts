/** The only place a NATS subject, stream or durable consumer name is spelled. `ns` is the installation's namespace. */
import type { ActivityName } from "./activities.ts"
import type { ActorKindName, SourceKind } from "./envelope.ts"

/** `ns.event.…` belongs to the public events, so the actor that numbers them has its inbox beside it. */
const inbox = (kind: ActorKindName): string => (kind === "event" ? "eventlog" : kind)

export const subjects = (ns: string) =>
  ({
    /** An actor's inbox. All of one actor: `mailboxOf(...)`. */
    mailbox: (m: { kind: ActorKindName; partition: number; workspaceId: string; key: string; type: string }) =>
      `${ns}.${inbox(m.kind)}.${m.partition}.${m.workspaceId}.${m.key}.${m.type}`,
    mailboxOf: (m: { kind: ActorKindName; partition: number; workspaceId: string; key: string }) =>
      `${ns}.${inbox(m.kind)}.${m.partition}.${m.workspaceId}.${m.key}.>`,
    /** One actor's inbox, for whoever knows neither its partition nor its workspace: people who look. */
    mailboxAnywhere: (kind: ActorKindName, key: string) => `${ns}.${inbox(kind)}.*.*.${key}.>`,
    partition: (kind: ActorKindName, partition: number) => `${ns}.${inbox(kind)}.${partition}.>`,
    kind: (kind: ActorKindName) => `${ns}.${inbox(kind)}.>`,
    activity: (name: ActivityName, workspaceId: string, key: string) => `${ns}.activity.${name}.${workspaceId}.${key}`,
    activities: (name: ActivityName) => `${ns}.activity.${name}.>`,
    intake: (workspace: string) => `${ns}.intake.${workspace}.version`,
    intakes: () => `${ns}.intake.*.version`,
    agentWork: (workspaceId: string, jobAgentId: string, jobId: string) =>
      `${ns}.agent.${workspaceId}.${jobAgentId}.work.${jobId}`,
    agentWorkOf: (workspaceId: string, jobAgentId: string) => `${ns}.agent.${workspaceId}.${jobAgentId}.work.>`,
    workspaceAgentWork: (workspaceId: string) => `${ns}.agent.${workspaceId}.*.work.>`,
    agentReport: (workspaceId: string, jobAgentId: string) => `${ns}.agent.${workspaceId}.${jobAgentId}.report`,
    agentReports: () => `${ns}.agent.*.*.report`,
    event: (workspaceId: string, type: string) => `${ns}.event.${workspaceId}.${type}`,
    events: () => `${ns}.event.>`,
    /** Core NATS, lossy by design: hints and requests that change nothing. */
    relayHint: (source: SourceKind, partition: number) => `${ns}.hint.relay.${source}.${partition}`,
    relayHints: (source: SourceKind) => `${ns}.hint.relay.${source}.*`,
    /** Whoever had to create the stream of activity work anew says so: all who have work outstanding publish it again. */
    activitiesLost: () => `${ns}.hint.activities-lost`,
    receipt: (messageId: string) => `${ns}.receipt.${messageId}`,
    receipts: () => `${ns}.receipt.*`,
    eventHint: (workspaceId: string) => `${ns}.hint.event.${workspaceId}`,
    eventHints: () => `${ns}.hint.event.*`,
  }) as const
export type Subjects = ReturnType<typeof subjects>

export const streams = (ns: string) =>
  ({
    mailbox: (kind: ActorKindName) => `${ns}_${inbox(kind)}`,
    activity: () => `${ns}_activity`,
    intake: () => `${ns}_intake`,
    agentWork: (workspaceId: string) => `${ns}_agent_${workspaceId}`,
    agentReports: () => `${ns}_agent_report`,
    events: () => `${ns}_event`,
  }) as const
export type Streams = ReturnType<typeof streams>

/** Durable pull consumers, by stream. */
export const consumers = {
  activity: (name: ActivityName) => name,
  intake: () => "gateway-intake",
  agentReports: () => "gateway-report",
  /** One per NATS job agent: the agent pulls by this name. */
  agentWork: (jobAgentId: string) => jobAgentId,
} as const

/** What a subject of `agentReports()` or `intakes()` says about its sender. */
export const readAgentReportSubject = (subject: string) => {
  const [, , workspaceId, jobAgentId] = subject.split(".")
  return { workspaceId: workspaceId ?? "", jobAgentId: jobAgentId ?? "" }
}
export const readIntakeSubject = (subject: string) => ({ workspace: subject.split(".")[2] ?? "" })
