/**
 * Publishing a version, both ways: over HTTP in the exact requests of `ctrlc api upsert version`, over NATS as an intake
 * message. Both may be repeated: the same content under a known tag changes nothing.
 */
import { createHash } from "node:crypto"
import { Bus } from "@sluice/actor/ports"
import { createVersion } from "@sluice/api/versions"
import { getWorkspace, getWorkspaceBySlug } from "@sluice/api/workspaces"
import type { VersionMessage } from "@sluice/protocol/intake"
import { subjects } from "@sluice/protocol/subjects"
import { Effect, Schedule } from "effect"
import type { DemonstrationError } from "./failure.ts"
import type { DeploymentName } from "./plan.ts"
import type { Stage } from "./stage.ts"

/** Answers the version's id. */
export const publishOverHttp = Effect.fnUntraced(function* (
  stage: Stage,
  deployment: DeploymentName,
  tag: string,
): Effect.fn.Return<string, DemonstrationError> {
  const { admin, world } = stage
  // The command line takes a slug and asks for its id first.
  const { slug } = yield* admin.call(getWorkspace, {})
  yield* admin.call(getWorkspaceBySlug, { params: { workspaceSlug: slug } as never })
  return yield* admin
    .call(createVersion, {
      params: { deploymentId: world.deploymentIds[deployment] },
      body: { tag, name: "", status: "ready", metadata: metadataOf(deployment, tag), config: {} },
    })
    .pipe(
      Effect.map(version => version.id),
      Effect.catch(error => {
        // Published by this demonstration before it was restarted, or by a request whose answer was lost.
        const id = identicalVersion(error)
        return id === undefined ? Effect.fail(error) : Effect.succeed(id)
      }),
    )
})

/** Returns once the broker has the message: from then on it is not lost. */
export const publishOverNats = (
  workspaceId: string,
  deployment: DeploymentName,
  tag: string,
): Effect.Effect<void, never, Bus> =>
  Effect.gen(function* () {
    const bus = yield* Bus
    const message: VersionMessage = { schemaVersion: 1, deployment, tag, metadata: metadataOf(deployment, tag) }
    const data = new TextEncoder().encode(JSON.stringify(message))
    yield* Effect.repeat(bus.publish([{ subject: subjects(bus.namespace).intake(workspaceId), data }]), {
      until: ([stored]) => stored === true,
      schedule: Schedule.spaced(repeatAfter),
    })
  })

const repeatAfter = 200

const metadataOf = (deployment: DeploymentName, tag: string) => ({
  "git/commit": createHash("sha1").update(`${deployment}@${tag}`).digest("hex"),
  "git/branch": "main",
  "ctrlplane/links": JSON.stringify({ Changes: `https://example.com/${deployment}/${tag}` }),
})

const identicalVersion = (error: DemonstrationError): string | undefined => {
  if (error.status !== 409) return undefined
  const { details } = error.body as { readonly details?: { readonly versionId?: string; readonly identical?: boolean } }
  return details?.identical === true ? details.versionId : undefined
}
