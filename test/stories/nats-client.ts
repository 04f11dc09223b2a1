/** A CI job's own NATS client: publishes a version the way any language's library would, and may ask for the verdict. */
import { jetstream } from "@nats-io/jetstream"
import { connect, createInbox, headers, type NatsConnection } from "@nats-io/transport-node"
import type { VersionAnswer } from "@sluice/protocol/intake"

export interface Publisher {
  /** Resolves once the stream has stored it. */
  readonly publish: (workspace: string, message: unknown) => Promise<void>
  /** Publishes and waits for what became of it. */
  readonly ask: (workspace: string, message: unknown) => Promise<VersionAnswer>
  readonly connection: NatsConnection
  readonly close: () => Promise<void>
}

const verdictMillisecondsMax = 10_000

export const openPublisher = async (natsUrl: string): Promise<Publisher> => {
  const { host, username, password } = new URL(natsUrl)
  const connection = await connect({ servers: host, user: username, pass: password })
  const broker = jetstream(connection)
  const subjectOf = (workspace: string) => `sluice.intake.${workspace}.version`
  return {
    connection,
    publish: async (workspace, message) => void (await broker.publish(subjectOf(workspace), JSON.stringify(message))),
    ask: async (workspace, message) => {
      const inbox = createInbox()
      const replies = connection.subscribe(inbox, { max: 1, timeout: verdictMillisecondsMax })
      const wanted = headers()
      wanted.set("Sluice-Reply-To", inbox)
      await broker.publish(subjectOf(workspace), JSON.stringify(message), { headers: wanted })
      for await (const reply of replies) return reply.json<VersionAnswer>()
      throw new Error("the subscription ended without a verdict")
    },
    close: () => connection.close(),
  }
}
