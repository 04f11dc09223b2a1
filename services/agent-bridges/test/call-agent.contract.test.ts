import { expect, layer } from "@effect/vitest"
import { Bus, Storage } from "@sluice/actor/ports"
import type { CallAgent } from "@sluice/protocol/activities"
import { testStore } from "@sluice/testkit/shared"
import { Effect } from "effect"
import { AgentStreams } from "../src/agent-streams.ts"
import { callAgent } from "../src/call-agent.ts"

const uuid = (n: number) => `01990000-0000-7000-8000-${n.toString().padStart(12, "0")}`
const [workspaceId, jobSetId, jobAgentId] = [uuid(1), uuid(2), uuid(3)]

const givenJob = Effect.fnUntraced(function* (id: string, config: object, ageSeconds: number) {
  const { query } = yield* Storage
  yield* query(
    `INSERT INTO job (id, job_set_id, workspace_id, target_key, release_id, job_agent_id, status, attempt, try, deadline,
                      job_agent_config, created_at, updated_at)
     VALUES ($1, $2, $3, 'target', $1, $4, 'pending', 1, 1, now() + interval '1 hour', $5,
             now() - make_interval(secs => $6), now())`,
    [id, jobSetId, workspaceId, jobAgentId, JSON.stringify(config), ageSeconds],
  )
})

/** The test runner talks to nobody: whoever asked the broker for anything here would have taken a wrong turn. */
const noBroker = new Proxy({}, { get: (_, name) => Effect.die(new Error(`the broker was asked for ${String(name)}`)) })

/** What would go through the door for one call. */
const messagesOf = Effect.fnUntraced(function* (jobId: string, agentType = "test-runner", workspace = workspaceId) {
  const payload: CallAgent = { jobSetId, jobId, jobAgentId, agentType, attempt: 1, call: "dispatch", deadline: 0 }
  const work = { id: "w", key: "k", workspaceId: workspace, correlationId: "c", delivery: 1, payload }
  const outcome = yield* callAgent
    .run(work)
    .pipe(
      Effect.provideService(Bus, noBroker as Bus["Service"]),
      Effect.provideService(AgentStreams, noBroker as AgentStreams["Service"]),
    )
  switch (outcome._tag) {
    case "Transient":
      throw new Error(outcome.reason)
    case "Done":
    case "StillRunning":
    case "Permanent":
      return callAgent.outcomes[outcome._tag](work, outcome.result)
  }
})

layer(testStore, { excludeTestServices: true, timeout: "60 seconds" })("one call to an agent", it => {
  it.effect("answers to the job set that asked, with job, attempt and call", () =>
    Effect.gen(function* () {
      yield* givenJob(uuid(10), { delaySeconds: 5 }, 60)
      expect(yield* messagesOf(uuid(10))).toEqual([
        {
          kind: "job",
          workspaceId,
          key: jobSetId,
          type: "AgentAnswered",
          body: {
            jobId: uuid(10),
            attempt: 1,
            call: "dispatch",
            outcome: { _tag: "Ended", status: "successful", message: "the test runner ended as successful" },
          },
        },
      ])
    }),
  )

  it.effect("compares a job's age with the database's clock", () =>
    Effect.gen(function* () {
      yield* givenJob(uuid(11), { delaySeconds: 3_600 }, 600)
      const [message] = yield* messagesOf(uuid(11))
      const body = message?.body as { readonly outcome: { readonly probeAfterMs: number } } | undefined
      expect(body?.outcome.probeAfterMs).toBeGreaterThan(2_900_000)
      expect(body?.outcome.probeAfterMs).toBeLessThanOrEqual(3_000_000)
    }),
  )

  it.effect("tells the end twice for a runner that repeats its report", () =>
    Effect.gen(function* () {
      yield* givenJob(uuid(12), { scenario: "repeat-report" }, 60)
      const messages = yield* messagesOf(uuid(12))
      expect(messages).toHaveLength(2)
      expect(messages[1]).toEqual(messages[0])
    }),
  )

  it.effect("is rejected for a config that cannot be read, an unknown type, and a job of another workspace", () =>
    Effect.gen(function* () {
      yield* givenJob(uuid(13), { delaySeconds: "soon" }, 0)
      yield* givenJob(uuid(14), {}, 0)
      const rejected = (words: string) => [
        expect.objectContaining({
          body: expect.objectContaining({ outcome: { _tag: "Rejected", message: expect.stringContaining(words) } }),
        }),
      ]
      expect(yield* messagesOf(uuid(13))).toEqual(rejected("delaySeconds"))
      expect(yield* messagesOf(uuid(14), "jenkins")).toEqual(rejected("jenkins"))
      expect(yield* messagesOf(uuid(14), "test-runner", uuid(99))).toEqual(rejected("not found"))
    }),
  )
})
