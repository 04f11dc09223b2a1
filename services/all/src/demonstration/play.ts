/**
 * Plays the demonstration against a running Sluice, over HTTP and NATS like any user: an agent with its sites, the world,
 * two scenes, the end table and the proof. Ends with what was found; it neither starts nor stops Sluice.
 */

import type { Bus } from "@sluice/actor/ports"
import type { PublicEvent } from "@sluice/api/events"
import { layer as busLayer } from "@sluice/bus/bus"
import type { Acknowledged } from "@sluice/protocol/journal-export"
import { Effect, Layer, Redacted, type Scope } from "effect"
import { makeClient } from "./client.ts"
import { DemonstrationError } from "./failure.ts"
import { followEvents } from "./follow.ts"
import { type Memory, openMemory } from "./memory.ts"
import { makeNarrator } from "./narrate.ts"
import { lookAtOutcome, type Row, tableOf } from "./outcome.ts"
import { type ProofSummary, proofOf } from "./proof.ts"
import { firstScene, secondScene } from "./scenes.ts"
import { openSites, runSiteAgent, urlOf } from "./site-agent.ts"
import { makeStage, type Stage } from "./stage.ts"
import { findWorld, prepareWorld } from "./world.ts"

export interface DemonstrationOptions {
  /** `http://127.0.0.1:3000`; the API is under `/api`. */
  readonly baseUrl: string
  readonly workspaceId: string
  /** Two members of the workspace: the first publishes, the second approves. */
  readonly keys: { readonly admin: Redacted.Redacted<string>; readonly approver: Redacted.Redacted<string> }
  readonly nats: { readonly url: string; readonly user?: string; readonly password?: Redacted.Redacted<string> }
  readonly namespace: string
  /** Where the sites keep ports and versions, and the driver how far it came. */
  readonly stateDirectory: string
  readonly print: (line: string) => void
  /** Kills the services with SIGKILL and starts them again; called once in each scene. */
  readonly crash?: Effect.Effect<void, DemonstrationError>
  /** What the checker says of the installation's journal, given what its callers were told is kept. */
  readonly proof?: (
    acknowledged: ReadonlyArray<Acknowledged>,
  ) => Effect.Effect<ProofSummary, { readonly message: string }>
  /** Milliseconds. */
  readonly giveUpAfter: number
}

export interface DemonstrationResult {
  readonly ok: boolean
  readonly rows: ReadonlyArray<Row>
  /** Why it is not ok, a sentence each. */
  readonly problems: ReadonlyArray<string>
}

/** The sites and their agent stay until the scope closes, so that people can go on from where the story ends. */
export const playDemonstration = (
  options: DemonstrationOptions,
): Effect.Effect<DemonstrationResult, never, Scope.Scope> => {
  let stage: Stage | undefined
  return play(options, opened => {
    stage = opened
  }).pipe(
    Effect.timeoutOrElse({
      duration: options.giveUpAfter,
      orElse: () => Effect.flatMap(describe(stage), seen => Effect.fail(gaveUp(options, stage, seen))),
    }),
    providedBus(options),
    Effect.catch(error => Effect.succeed(failed(error.message.split("\n")))),
    Effect.tap(result => Effect.sync(() => printProblems(options, result))),
  )
}

/** Opens the sites and their agent again, after a restart of an installation where the story was told already. */
export const standBy = (
  options: Pick<DemonstrationOptions, "baseUrl" | "workspaceId" | "keys" | "nats" | "namespace" | "stateDirectory">,
): Effect.Effect<void, { readonly message: string }, Scope.Scope> =>
  Effect.gen(function* () {
    const { baseUrl, workspaceId, keys } = options
    const siteOf = yield* openSites(options.stateDirectory)
    const admin = makeClient({ baseUrl, key: Redacted.value(keys.admin), workspaceId })
    const world = yield* findWorld(admin, urlOf(siteOf))
    yield* runSiteAgent(workspaceId, world, siteOf)
  }).pipe(providedBus(options))

/** A connection of its own, as any agent has, for as long as the scope is open. */
const providedBus =
  ({ nats, namespace }: Pick<DemonstrationOptions, "nats" | "namespace">) =>
  <A, E, R>(effect: Effect.Effect<A, E, R | Bus>) =>
    Effect.flatMap(
      Layer.build(
        busLayer({
          servers: [nats.url],
          ...(nats.user === undefined ? {} : { user: nats.user }),
          ...(nats.password === undefined ? {} : { pass: Redacted.value(nats.password) }),
          namespace,
          name: "sluice-demonstration",
        }),
      ),
      context => Effect.provideContext(effect, context),
    )

const failed = (problems: ReadonlyArray<string>): DemonstrationResult => ({ ok: false, rows: [], problems })

/** What is the matter, after a timeout; Sluice itself may be. */
const describe = (stage: Stage | undefined): Effect.Effect<ReadonlyArray<string>> =>
  stage === undefined
    ? Effect.succeed([])
    : stage.describe.pipe(
        Effect.timeout(describeWithin),
        Effect.catch(error => Effect.succeed([`the API could not be asked: ${error.message}`])),
      )
const describeWithin = 3_000

const gaveUp = (options: DemonstrationOptions, stage: Stage | undefined, seen: ReadonlyArray<string>) =>
  new DemonstrationError({
    reason: "gaveUp",
    message: [
      `Gave up after ${options.giveUpAfter / 1_000} s: waited for ${stage?.waitingFor() ?? "the services to answer"}. Saw:`,
      ...seen,
    ].join("\n"),
  })

const play = Effect.fnUntraced(function* (
  options: DemonstrationOptions,
  onStage: (stage: Stage) => void,
): Effect.fn.Return<DemonstrationResult, { readonly message: string }, Bus | Scope.Scope> {
  const { baseUrl, workspaceId, keys, print } = options
  const clientOf = (key: Redacted.Redacted<string>) => makeClient({ baseUrl, key: Redacted.value(key), workspaceId })
  const admin = clientOf(keys.admin)
  const siteOf = yield* openSites(options.stateDirectory)
  const world = yield* prepareWorld(admin, urlOf(siteOf))
  const stage = makeStage({ admin, approver: clientOf(keys.approver), world })
  onStage(stage)
  const memory = openMemory(options.stateDirectory)
  const story = tellStory({ stage, memory, print })
  yield* followEvents(admin, { after: 0, onEvent: story.onEvent })
  yield* runSiteAgent(workspaceId, world, siteOf)

  const acknowledged: Array<Acknowledged> = []
  const playing = {
    stage,
    memory,
    acknowledged: (fact: Acknowledged) => void acknowledged.push(fact),
    say: (text: string) => print(`\n${text}`),
    crash: options.crash,
  }
  yield* firstScene(playing)
  yield* secondScene(playing)

  const rows = yield* lookAtOutcome(stage)
  const summary = options.proof === undefined ? undefined : yield* options.proof(acknowledged)
  const proof = proofOf(summary, rows, story.firstFailedAt())
  for (const line of ["", ...tableOf(rows), "", ...proof.lines]) print(line)
  const wrong = rows.filter(row => !row.ok).map(row => `${row.deployment} on ${row.resource} is not as promised`)
  const problems = [...wrong, ...proof.problems]
  return { ok: problems.length === 0, rows, problems }
})

/** Prints what was not printed before a restart; remembers the first failing probe. */
const tellStory = (options: {
  readonly stage: Stage
  readonly memory: Memory
  readonly print: (line: string) => void
}) => {
  const { stage, memory, print } = options
  const narrator = makeNarrator(stage.world)
  let firstFailedAt: number | undefined
  return {
    onEvent: (event: PublicEvent) => {
      const line = narrator.lineOf(event)
      if (event.type === "verification.measured" && event.data.status === "failed" && firstFailedAt === undefined) {
        const { measuredAt } = event.data
        firstFailedAt = typeof measuredAt === "number" ? measuredAt : Date.parse(event.at)
      }
      if (event.sequence > memory.read().shown) {
        if (line !== undefined) print(line)
        memory.write({ shown: event.sequence })
      }
      stage.hear(event)
    },
    firstFailedAt: () => firstFailedAt,
  }
}

const printProblems = (options: DemonstrationOptions, { ok, problems }: DemonstrationResult): void => {
  if (ok) return
  for (const problem of ["", "The demonstration did not end as promised:", ...problems]) options.print(problem)
}
