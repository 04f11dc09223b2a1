// Publishes a version to Sluice over NATS, as a CI step would, and waits for the verdict. See README.md.
import { jetstream } from "@nats-io/jetstream"
import { connect, createInbox, headers } from "@nats-io/transport-node"

const { NATS_URL, WORKSPACE, GIT_COMMIT, GIT_BRANCH, SLUICE_NAMESPACE = "sluice" } = process.env
const [deployment, tag] = process.argv.slice(2)
if (!NATS_URL || !WORKSPACE || !deployment || !tag) {
  console.error("Usage: NATS_URL=nats://… WORKSPACE=<id or slug> node publish-version.mjs <deployment> <tag>")
  process.exit(2)
}
const verdictWithin = 30_000 // Sluice may be restarting; the version is safe in any case

const { host, username, password } = new URL(NATS_URL)
const connection = await connect({ servers: host, user: username, pass: decodeURIComponent(password) })
const js = jetstream(connection)

// The ordinary reply of a stream only says "stored"; the verdict comes to an inbox of our own.
const inbox = createInbox()
const verdicts = connection.subscribe(inbox, { max: 1, timeout: verdictWithin })
const replyTo = headers()
replyTo.set("Sluice-Reply-To", inbox)

const version = {
  schemaVersion: 1,
  deployment,
  tag,
  metadata: {
    ...(GIT_COMMIT ? { "git/commit": GIT_COMMIT } : {}),
    ...(GIT_BRANCH ? { "git/branch": GIT_BRANCH } : {}),
  },
}
await js.publish(`${SLUICE_NAMESPACE}.intake.${WORKSPACE}.version`, JSON.stringify(version), { headers: replyTo })
console.error(`${deployment} ${tag} is stored and will not be lost`)

let answer
try {
  for await (const message of verdicts) answer = message.json()
} catch {
  console.error(`no verdict within ${verdictWithin / 1000} s; publishing it again changes nothing and asks again`)
}
await connection.close()
if (answer) console.log(JSON.stringify(answer))
process.exitCode = answer?.status === "created" || answer?.status === "unchanged" ? 0 : 1
