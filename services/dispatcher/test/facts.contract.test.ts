import { expect, layer } from "@effect/vitest"
import type { FactRequest } from "@sluice/actor/definition"
import { Storage } from "@sluice/actor/ports"
import { testStore } from "@sluice/testkit/shared"
import { Effect } from "effect"
import type { JobMessage } from "../src/decide.ts"
import { facts } from "../src/facts.ts"
import type { JobSet } from "../src/state.ts"

const uuid = (n: number) => `01990000-0000-7000-8000-${n.toString().padStart(12, "0")}`
const [ws, otherWs, deployment, environment, resource, version, release] = [1, 2, 3, 4, 5, 6, 7].map(uuid)

/** A workspace with one release and four agents, one deleted and one of a type nobody knows; a second workspace beside it. */
const catalog = Effect.gen(function* () {
  const { query } = yield* Storage
  yield* query("INSERT INTO workspace (id, slug, name) VALUES ($1, 'ws', 'ws'), ($2, 'other', 'other')", [ws, otherWs])
  yield* query(
    `INSERT INTO deployment (id, workspace_id, name, job_agent_selector, job_agent_config)
     VALUES ($1, $2, 'storefront', 'jobAgent.metadata["pool"] == "a"', '{"ref": "main"}')`,
    [deployment, ws],
  )
  yield* query("INSERT INTO environment (id, workspace_id, name) VALUES ($1, $2, 'production')", [environment, ws])
  yield* query(
    `INSERT INTO resource (id, workspace_id, identifier, name, kind, version, config, created_at)
     VALUES ($1, $2, 'eu-1', 'eu one', 'site', 'v1', '{"port": 1, "none": null}', '2026-01-05T10:00:00.007Z')`,
    [resource, ws],
  )
  yield* query(
    `INSERT INTO deployment_version (id, workspace_id, deployment_id, tag, name, status, metadata, content_hash)
     VALUES ($1, $2, $3, '1.0.0', '1.0.0', 'ready', '{"git/commit": "abc"}', 'h')`,
    [version, ws, deployment],
  )
  yield* query(
    `INSERT INTO release (id, workspace_id, target_key, deployment_id, environment_id, resource_id, version_id, variables, created_at)
     VALUES ($1, $2, 'key', $3, $4, $5, $6, '{"replicas": 3}', '2026-01-05T10:00:01Z')`,
    [release, ws, deployment, environment, resource, version],
  )
  const pool = '{"pool": "a"}'
  yield* query(
    `INSERT INTO job_agent (id, workspace_id, name, type, metadata, deleted_at) VALUES
       ($2, $1, 'runner', 'test-runner', $7, NULL), ($3, $1, 'odd', 'jenkins', $7, NULL),
       ($4, $1, 'poolless', 'nats', '{}', NULL), ($5, $1, 'gone', 'nats', $7, now()), ($6, $8, 'foreign', 'nats', $7, NULL)`,
    [ws, uuid(11), uuid(12), uuid(13), uuid(14), uuid(15), pool, otherWs],
  )
})

const request = (
  key: string,
  workspaceId: string | undefined,
  releaseId: string | undefined,
): FactRequest<JobSet, JobMessage> => ({
  key,
  workspaceId: workspaceId ?? "",
  state: undefined,
  inputs: [
    {
      _tag: "Message",
      id: "m",
      message: {
        type: "StartJobs",
        body: {
          jobSetId: key,
          targetKey: "key",
          releaseId: releaseId ?? "",
          versionId: version ?? "",
          try: 1,
          purpose: "deploy",
          reason: "",
        },
      },
    },
  ],
})

layer(testStore, { excludeTestServices: true, timeout: "60 seconds" })("the facts of a dispatch", it => {
  it.effect("are the release with all it is made of, and the agents its deployment's selector picks", () =>
    Effect.gen(function* () {
      yield* catalog
      const storage = yield* Storage
      const found = yield* storage.transaction("repeatable read", tx =>
        facts(tx, [request("set-1", ws, release), request("set-2", ws, uuid(99)), request("set-3", otherWs, release)]),
      )
      const start = found.get("set-1")
      if (start?._tag !== "Found") throw new Error("nothing found")
      expect(start.agents.map(agent => [agent.name, agent.delivery])).toEqual([
        ["runner", "push"],
        ["odd", undefined],
      ])
      expect(start.deployment).toMatchObject({ slug: "storefront", jobAgentConfig: { ref: "main" } })
      expect(start.resource).toMatchObject({ identifier: "eu-1", createdAt: "2026-01-05T10:00:00.007Z" })
      expect(start.resource).not.toHaveProperty("providerId")
      expect(start.resource.config).toEqual({ port: 1, none: null })
      expect(start.version.metadata).toEqual({ "git/commit": "abc" })
      expect(start.release).toEqual({
        id: release,
        createdAt: "2026-01-05T10:00:01.000Z",
        releaseTarget: { deploymentId: deployment, environmentId: environment, resourceId: resource },
        variables: { replicas: 3 },
      })
      // Neither a release that is not there nor one of another workspace is answered with somebody's rows.
      expect(found.get("set-2")?._tag).toBe("Missing")
      expect(found.get("set-3")?._tag).toBe("Missing")
    }),
  )
})
