/**
 * An agent on NATS that does its work and tells about it badly, each time in another way: its end twice, the end before the
 * start, under an attempt that is over, under one that was never given, or another end long after the first.
 */
import { jetstream } from "@nats-io/jetstream"
import { connect } from "@nats-io/transport-node"
import type { AgentReport, AgentWork } from "@sluice/protocol/intake"
import { consumers, streams } from "@sluice/protocol/subjects"
import type { Random } from "@sluice/testkit/fault-random"

export interface BadAgent {
  readonly reports: () => number
  readonly close: () => Promise<void>
}

const lateMilliseconds = [0, 400] as const
const longAfterMilliseconds = [1_000, 3_000] as const
const lookAgainMilliseconds = 100

export const badAgent = async (options: {
  readonly natsUrl: string
  readonly workspaceId: string
  readonly jobAgentId: string
  readonly random: Random
}): Promise<BadAgent> => {
  const { random } = options
  const { host, username, password } = new URL(options.natsUrl)
  const connection = await connect({ servers: host, user: username, pass: password })
  const broker = jetstream(connection)
  let reports = 0
  let open = true

  const tell = (work: AgentWork, attempt: number, status: AgentReport["status"], after: number): void => {
    const report: AgentReport = { jobId: work.jobId, attempt, status, occurredAt: new Date().toISOString() }
    setTimeout(() => {
      if (!open) return
      connection.publish(work.reportSubject, JSON.stringify(report))
      reports++
    }, after)
  }
  const late = () => random.between(...lateMilliseconds)
  const ways: ReadonlyArray<(work: AgentWork) => void> = [
    work => tell(work, work.attempt, "successful", late()),
    work => tell(work, work.attempt, "inProgress", late()),
    work => tell(work, work.attempt - 1, "failure", 0),
    work => tell(work, work.attempt + 1, "failure", 0),
    work => tell(work, work.attempt, "failure", random.between(...longAfterMilliseconds)),
  ]
  const carryOut = (work: AgentWork): void => {
    ways[random.between(0, ways.length - 1)]?.(work)
    tell(work, work.attempt, "successful", late())
  }
  const consume = async (): Promise<void> => {
    while (open) {
      try {
        const consumer = await broker.consumers.get(
          streams("sluice").agentWork(options.workspaceId),
          consumers.agentWork(options.jobAgentId),
        )
        const messages = await consumer.consume()
        for await (const message of messages) {
          carryOut(message.json<AgentWork>())
          message.ack()
        }
      } catch {
        // The stream comes with the agent's first job.
        await new Promise(resolve => setTimeout(resolve, lookAgainMilliseconds))
      }
    }
  }
  void consume()
  return {
    reports: () => reports,
    close: async () => {
      open = false
      await connection.close()
    },
  }
}
