import { type ChildProcess, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { expect, it } from "@effect/vitest"
import { Bus } from "@sluice/actor/ports"
import { BusAdmin, layer } from "@sluice/bus/bus"
import type { AgentReport } from "@sluice/protocol/intake"
import { consumers, streams, subjects } from "@sluice/protocol/subjects"
import { natsServer } from "@sluice/testkit/nats"
import { Effect, Queue, Redacted } from "effect"
import { topology } from "../../../nats/topology.ts"

const namespace = "sluice"
const [workspaceId, jobAgentId] = ["01990000-0000-7000-8000-000000000001", "01990000-0000-7000-8000-000000000002"]
const names = subjects(namespace)
const program = fileURLToPath(new URL("../agent.mjs", import.meta.url))

const work = (jobId: string, context: object) => ({
  subject: names.agentWork(workspaceId, jobAgentId, jobId),
  data: new TextEncoder().encode(
    JSON.stringify({
      schemaVersion: 1,
      jobId,
      attempt: 3,
      workspaceId,
      jobAgentId,
      deadline: "2099-01-01T00:00:00.000Z",
      reportSubject: names.agentReport(workspaceId, jobAgentId),
      jobAgentConfig: { workSeconds: 0 },
      dispatchContext: context,
    }),
  ),
})

const agentProcess = (natsUrl: string) =>
  Effect.acquireRelease(
    Effect.sync((): ChildProcess => {
      const env = { NATS_URL: natsUrl, WORKSPACE_ID: workspaceId, JOB_AGENT_ID: jobAgentId }
      return spawn(process.execPath, [program], { env, stdio: "inherit" })
    }),
    child => Effect.sync(() => child.kill("SIGKILL")),
  )

it.live(
  "the example agent reports the start and the end of its jobs under their attempt, and goes on after a failure",
  () =>
    Effect.gen(function* () {
      const { url, user, password } = yield* natsServer
      const address = `nats://${user}:${encodeURIComponent(Redacted.value(password))}@${new URL(url).host}`
      yield* Effect.gen(function* () {
        const bus = yield* Bus
        const admin = yield* BusAdmin
        yield* admin.apply(topology({ namespace, workspaces: [{ workspaceId, jobAgents: [{ id: jobAgentId }] }] }))
        const reports = yield* Queue.unbounded<AgentReport>()
        yield* bus
          .consume({
            stream: streams(namespace).agentReports(),
            consumer: consumers.agentReports(),
            concurrency: 1,
            handle: each =>
              Effect.andThen(
                Queue.offer(reports, JSON.parse(new TextDecoder().decode(each.data)) as AgentReport),
                each.ack,
              ),
          })
          .pipe(Effect.forkScoped)
        yield* bus.publish([
          work("job-1", {}), // no deployment in it: the work throws
          work("job-2", { deployment: { name: "storefront" }, version: { tag: "1.0.0" }, resource: { name: "eu-1" } }),
        ])
        yield* agentProcess(address)
        const heard = yield* Queue.takeN(reports, 4)
        expect(heard.map(({ jobId, attempt, status }) => [jobId, attempt, status])).toEqual([
          ["job-1", 3, "inProgress"],
          ["job-1", 3, "failure"],
          ["job-2", 3, "inProgress"],
          ["job-2", 3, "successful"],
        ])
        expect(heard[3]?.message).toBe("storefront 1.0.0 runs on eu-1")
      }).pipe(Effect.provide(layer({ namespace, servers: [address], name: "test" })))
    }).pipe(Effect.scoped, Effect.timeout("40 seconds")),
)
