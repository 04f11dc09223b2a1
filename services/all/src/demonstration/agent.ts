/**
 * The demonstration's job agent. It speaks the native agent protocol and nothing else of Sluice: pulls work, says that it is
 * alive, deploys to the site of the release target, reports with the attempt it was given, and acknowledges last.
 */
import { Bus, type BusError, type Work } from "@sluice/actor/ports"
import { type AgentReport, AgentWork } from "@sluice/protocol/intake"
import { consumers, streams } from "@sluice/protocol/subjects"
import { Clock, DateTime, Effect, Schedule, Schema, type Scope } from "effect"
import type { SiteContent } from "./site.ts"

export interface DeployRequest {
  readonly jobId: string
  readonly deployment: string
  readonly deploymentId: string
  readonly environmentId: string
  readonly resourceId: string
  readonly resource: string
  readonly versionId: string
  readonly tag: string
}

export interface AgentOptions {
  readonly workspaceId: string
  readonly jobAgentId: string
  /** Carries one job out; a repeat of a job that was carried out does nothing. Answers what is served now, or why not. */
  readonly deploy: (request: DeployRequest) => Effect.Effect<SiteContent, string>
}

const concurrency = 16 // every site at once, and room
/** Milliseconds; well below the broker's ack wait of 30 s. */
const heartbeat = 5_000
const repeatReportAfter = 200
const lookAgainAfter = 1_000 // work we cannot read may be readable by another instance

/** Works until the scope closes. */
export const runAgent = (options: AgentOptions): Effect.Effect<void, BusError, Bus | Scope.Scope> =>
  Effect.gen(function* () {
    const bus = yield* Bus
    yield* bus.consume({
      stream: streams(bus.namespace).agentWork(options.workspaceId),
      consumer: consumers.agentWork(options.jobAgentId),
      concurrency,
      handle: work => Effect.provideService(handle(options, work), Bus, bus),
    })
  })

const handle = (options: AgentOptions, work: Work): Effect.Effect<void, never, Bus> =>
  Effect.gen(function* () {
    const given = yield* decodeWork(new TextDecoder().decode(work.data))
    const request = yield* decodeContext(given.dispatchContext)
    yield* report(given, { status: "inProgress", message: `deploying ${request.version.tag}` })
    const ended = yield* options
      .deploy({
        jobId: given.jobId,
        deployment: request.deployment.name,
        deploymentId: request.deployment.id,
        environmentId: request.environment.id,
        resourceId: request.resource.id,
        resource: request.resource.name,
        versionId: request.version.id,
        tag: request.version.tag,
      })
      .pipe(
        Effect.map(content => ({ status: "successful" as const, message: `serves ${content.version}` })),
        Effect.catch(message => Effect.succeed({ status: "failure" as const, message })),
        Effect.raceFirst(Effect.forever(Effect.andThen(Effect.sleep(heartbeat), work.working))),
      )
    yield* report(given, ended)
    yield* work.ack
  }).pipe(
    Effect.catch(error =>
      Effect.andThen(
        Effect.logWarning(`agent work that cannot be read is given back: ${error.message}`),
        work.retry(lookAgainAfter),
      ),
    ),
  )

const report = (work: AgentWork, what: Pick<AgentReport, "status" | "message">): Effect.Effect<void, never, Bus> =>
  Effect.gen(function* () {
    const bus = yield* Bus
    const occurredAt = DateTime.formatIso(DateTime.makeUnsafe(yield* Clock.currentTimeMillis))
    const body: AgentReport = { jobId: work.jobId, attempt: work.attempt, ...what, occurredAt }
    const message = { subject: work.reportSubject, data: new TextEncoder().encode(JSON.stringify(body)) }
    // Until the broker has it: what it acknowledged, Sluice will hear.
    yield* Effect.repeat(bus.publish([message]), {
      until: ([stored]) => stored === true,
      schedule: Schedule.spaced(repeatReportAfter),
    })
  })

const decodeWork = Schema.decodeUnknownEffect(Schema.fromJsonString(AgentWork))
const Named = Schema.Struct({ id: Schema.String, name: Schema.String })
const decodeContext = Schema.decodeUnknownEffect(
  Schema.Struct({
    deployment: Named,
    environment: Named,
    resource: Named,
    version: Schema.Struct({ id: Schema.String, tag: Schema.String }),
  }),
)
