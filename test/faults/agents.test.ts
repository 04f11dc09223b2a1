/** Agents that report twice, late, out of order, or never, all at once and under load. */
import { openFaultLane } from "@sluice/testkit/fault-lane"
import { seeded } from "@sluice/testkit/fault-random"
import { describe, expect, it } from "vitest"
import { badAgent } from "./bad-agent.ts"

const seed = 815
const faultMilliseconds = 8_000

describe(`agents that cannot be relied on (seed ${seed})`, () => {
  it("change no job that ended, and hold no target without a name", async () => {
    const lane = await openFaultLane(
      {},
      {
        agents: [
          { type: "test-runner", config: { delaySeconds: 0.3, scenario: "repeat-report" } },
          { type: "nats", config: {} },
          // Says nothing at all; the deadline's probe finds out.
          { type: "test-runner", config: { delaySeconds: 0.3, scenario: "lose-report", deadlineSeconds: 6 } },
        ],
        beforeLoad: async ({ here, load }) => {
          agent = await badAgent({
            natsUrl: here.natsUrl,
            workspaceId: here.workspaceId,
            jobAgentId: load.agentIds[1] ?? "",
            random: seeded(seed),
          })
        },
      },
    )
    try {
      await new Promise(resolve => setTimeout(resolve, faultMilliseconds)) // the fault's own length
      // At rest or with its reason: what the silent agent is found out about too late has failed, and says so.
      await lane.settles(({ phases, targets }) => (phases.idle ?? 0) + (phases.waiting ?? 0) === targets)
      expect(agent?.reports()).toBeGreaterThan(lane.load.targetsPerDeployment)
      const report = await lane.verdict()
      expect(report.seen.reopenedJobs).toBe(0)
      expect(report.seen.ignoredReports).toBeGreaterThan(50)

      await lane.load.publish({ jobAgentConfig: { scenario: "never", deadlineSeconds: 600 } })
      await lane.settles(({ phases }) => phases.deploying === 2 * lane.load.targetsPerDeployment)
      const waiting = await lane.verdict()
      expect(waiting.promises.P6.checked).toBeGreaterThan(report.promises.P6.checked)
    } finally {
      await agent?.close()
      await lane.close()
    }
  })
})

let agent: Awaited<ReturnType<typeof badAgent>> | undefined
