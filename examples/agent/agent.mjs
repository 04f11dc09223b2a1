// A Sluice job agent in about thirty lines: takes its jobs from NATS, works, reports. See README.md.
import { jetstream } from "@nats-io/jetstream"
import { connect } from "@nats-io/transport-node"

const { NATS_URL, WORKSPACE_ID, JOB_AGENT_ID, SLUICE_NAMESPACE = "sluice" } = process.env
const { host, username, password } = new URL(NATS_URL)
const connection = await connect({ servers: host, user: username, pass: password, maxReconnectAttempts: -1 })
const js = jetstream(connection)
const stream = `${SLUICE_NAMESPACE}_agent_${WORKSPACE_ID}` // made within a second of the agent's registration
const find = () => js.consumers.get(stream, JOB_AGENT_ID).catch(error => console.log(`${error.message}; trying again`))
let jobs = await find()
while (!jobs) {
  await new Promise(resolve => setTimeout(resolve, 1000))
  jobs = await find()
}

/** Your work goes here. What it returns is the job's message; what it throws is why it failed. */
async function deploy({ dispatchContext: { deployment, version, resource }, jobAgentConfig }) {
  await new Promise(resolve => setTimeout(resolve, (jobAgentConfig.workSeconds ?? 1) * 1000))
  return `${deployment.name} ${version.tag} runs on ${resource.name}`
}

console.log(`waiting for jobs of agent ${JOB_AGENT_ID}`)
for await (const work of await jobs.consume({ max_messages: 1 })) {
  const job = work.json()
  const { jobId, attempt, reportSubject } = job
  const report = (status, message) =>
    js.publish(reportSubject, JSON.stringify({ jobId, attempt, status, message, occurredAt: new Date().toISOString() }))
  const heartbeat = setInterval(() => work.working(), 10_000) // silent for 30 s, the job goes to another instance
  try {
    await report("inProgress")
    const end = await deploy(job).then(
      done => ["successful", done],
      error => ["failure", error.message],
    )
    await report(...end)
    work.ack() // after the last report is stored: who dies before this line is replaced, not forgotten
    console.log(jobId, ...end)
  } finally {
    clearInterval(heartbeat)
  }
}
