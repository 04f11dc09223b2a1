/**
 * Stores every message of the inboxes and of the activities' queue once more, at a later position of its stream: listens to
 * what is published and publishes it again after a random while, without the id by which the broker would know it.
 */
import { connect, headers, type Msg } from "@nats-io/transport-node"
import { actorKinds } from "@sluice/protocol/envelope"
import { subjects } from "@sluice/protocol/subjects"
import type { Random } from "@sluice/testkit/fault-random"

const mark = "Sluice-Test-Repeated"
const laterMilliseconds = [0, 1_500] as const

export interface Repeater {
  /** How many were published again so far. */
  readonly repeated: () => number
  readonly close: () => Promise<void>
}

export const repeatEverything = async (natsUrl: string, random: Random): Promise<Repeater> => {
  const { host, username, password } = new URL(natsUrl)
  const connection = await connect({ servers: host, user: username, pass: password })
  const names = subjects("sluice")
  let repeated = 0
  let open = true
  const again = (message: Msg): void => {
    const data = message.data.slice()
    setTimeout(
      () => {
        if (!open) return
        const marked = headers()
        marked.set(mark, "yes")
        connection.publish(message.subject, data, { headers: marked })
        repeated++
      },
      random.between(...laterMilliseconds),
    )
  }
  const heard = [
    ...actorKinds.map(kind => names.kind(kind)),
    names.activities("call-agent"),
    names.activities("wake-waiting"),
  ]
  for (const subject of heard) {
    connection.subscribe(subject, {
      callback: (_, message) => {
        if (message.headers?.has(mark) !== true) again(message)
      },
    })
  }
  await connection.flush()
  return {
    repeated: () => repeated,
    close: async () => {
      open = false
      await connection.close()
    },
  }
}
