/**
 * `npm run nats-user -- ci <name> <workspace>` or `… -- agent <name> <workspace id> <job agent id>`: a login on the embedded
 * NATS that may do what a CI publisher or a job agent needs, and nothing else. Prints the address to use.
 */
import { randomBytes } from "node:crypto"
import { addNatsUser } from "@sluice/process/embedded-nats"
import { homePaths } from "@sluice/process/home"
import { runMain } from "@sluice/process/run"
import { loadSettings } from "@sluice/process/settings"
import { consumers, streams, subjects } from "@sluice/protocol/subjects"
import { Effect } from "effect"

const usage = "usage: npm run nats-user -- ci <name> <workspace> | agent <name> <workspace id> <job agent id>"

/** What a login may publish and subscribe to; the broker refuses everything else. */
export const permissionsOf = (namespace: string, args: ReadonlyArray<string>) => {
  const [what, , workspace, jobAgentId] = args
  const names = subjects(namespace)
  const inbox = "_INBOX.>"
  if (what === "ci" && workspace !== undefined) {
    return { publish: [names.intake(workspace)], subscribe: [inbox] }
  }
  if (what === "agent" && workspace !== undefined && jobAgentId !== undefined) {
    const stream = streams(namespace).agentWork(workspace)
    const consumer = consumers.agentWork(jobAgentId)
    return {
      publish: [
        names.agentReport(workspace, jobAgentId),
        `$JS.API.CONSUMER.INFO.${stream}.${consumer}`,
        `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`,
        `$JS.ACK.${stream}.${consumer}.>`,
      ],
      subscribe: [inbox],
    }
  }
  return undefined
}

if (import.meta.main) {
  const args = process.argv.slice(2)
  runMain(
    Effect.gen(function* () {
      const settings = yield* loadSettings()
      const permissions = permissionsOf(settings.namespace, args)
      const name = args[1]
      if (permissions === undefined || name === undefined) return yield* Effect.fail({ message: usage })
      const password = randomBytes(24).toString("hex")
      const home = homePaths(settings.home)
      const { port } = yield* addNatsUser(home.directory, { name, password, permissions })
      yield* Effect.sync(() => console.log(`nats://${name}:${password}@127.0.0.1:${port}`))
    }),
  )
}
