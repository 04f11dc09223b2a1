/**
 * Versions from CI over NATS. The stream stored the message before anybody was told so; here it becomes a version in the
 * order it was stored, through the same function as over HTTP. A message is acknowledged once its outcome, creation or
 * refusal, is committed; delivered again it changes nothing.
 */
import { Door } from "@sluice/actor/door"
import { Bus, type Storage, type StorageError, type Work } from "@sluice/actor/ports"
import { type ApiError, apiError, notFound } from "@sluice/api/error"
import { nullAsAbsent } from "@sluice/api/null-as-absent"
import { replyToHeader, type VersionAnswer, VersionMessage } from "@sluice/protocol/intake"
import { consumers, readIntakeSubject, streams } from "@sluice/protocol/subjects"
import { findDeployment } from "@sluice/store/deployments"
import { findAnyWorkspace, type WorkspaceRow } from "@sluice/store/workspaces"
import { Effect, Result, Schema } from "effect"
import { brokerId } from "./fresh-id.ts"
import { happened } from "./messages.ts"
import { duplicateTag, publishVersion } from "./publish-version.ts"
import { read } from "./read.ts"
import { isUuid } from "./read-request.ts"
import { unstorable } from "./storable.ts"

/** One at a time: of two messages with one tag the first stored wins. */
const concurrency = 1
/** The database is away, or busy: the message waits at the broker, which keeps it. */
const retryAfterMilliseconds = 1_000

const decodeMessage = Schema.decodeUnknownResult(VersionMessage)
const decoder = new TextDecoder()
const encoder = new TextEncoder()

export const consumeIntake = Effect.gen(function* () {
  const bus = yield* Bus
  const context = yield* Effect.context<Bus | Door | Storage>()
  yield* bus.consume({
    stream: streams(bus.namespace).intake(),
    consumer: consumers.intake(),
    concurrency,
    handle: work => Effect.provideContext(handle(work), context),
  })
})

/** Outcome first, then the answer, then the acknowledgement: whoever is told, is told what is kept. */
const handle = (work: Work): Effect.Effect<void, never, Bus | Door | Storage> =>
  accept(work).pipe(
    Effect.flatMap(answer => Effect.andThen(reply(work, answer), work.ack)),
    Effect.catch(error =>
      error.fault === "message"
        ? work.terminate(error.message) // Trying again cannot cure it, and would keep back every version behind it.
        : Effect.andThen(
            Effect.logWarning("a version from NATS has to wait", error.message),
            work.retry(retryAfterMilliseconds),
          ),
    ),
  )

const accept = Effect.fnUntraced(function* (work: Work): Effect.fn.Return<VersionAnswer, StorageError, Door | Storage> {
  const { workspace: ref } = readIntakeSubject(work.subject)
  const workspace = yield* read(tx => findAnyWorkspace(tx, isUuid(ref) ? { id: ref.toLowerCase() } : { slug: ref }))
  if (workspace === undefined) return refusedAnswer(notFound("workspace"))
  const message = decode(work.data)
  if (Result.isFailure(message)) return yield* refuse(workspace, {}, message.failure)
  return yield* publish(work, workspace, message.success).pipe(
    Effect.catchTag("ApiError", error => refuse(workspace, message.success, error)),
    Effect.catchTag("StorageError", error =>
      error.fault === "message"
        ? refuse(workspace, message.success, apiError("BAD_REQUEST", `this cannot be stored: ${error.message}`))
        : Effect.fail(error),
    ),
  )
})

const decode = (data: Uint8Array): Result.Result<VersionMessage, ApiError> =>
  Result.try({
    try: (): unknown => JSON.parse(decoder.decode(data)),
    catch: () => apiError("BAD_REQUEST", "the message is not JSON"),
  }).pipe(
    Result.flatMap(json => {
      // Before anything is made of it: a refusal that quotes what cannot be stored could not be stored either.
      const fault = unstorable(json, "message")
      return fault === undefined
        ? Result.mapError(decodeMessage(nullAsAbsent(VersionMessage, json)), error =>
            apiError("BAD_REQUEST", error.message),
          )
        : Result.fail(apiError("BAD_REQUEST", fault))
    }),
  )

const publish = Effect.fnUntraced(function* (
  work: Work,
  workspace: WorkspaceRow,
  message: VersionMessage,
): Effect.fn.Return<VersionAnswer, ApiError | StorageError, Door> {
  const door = yield* Door
  const { schemaVersion: _, deployment: ref, ...sent } = message
  const id = yield* brokerId(work.storedAt, work.sequence)
  const { value } = yield* door.commit(workspace.id, tx =>
    Effect.gen(function* () {
      const byId = isUuid(ref) ? yield* findDeployment(tx, workspace.id, { id: ref.toLowerCase() }) : undefined
      const deployment = byId ?? (yield* findDeployment(tx, workspace.id, { name: ref }))
      if (deployment === undefined) return yield* notFound(`deployment ${ref}`)
      const published = yield* publishVersion(tx, {
        id,
        workspaceId: workspace.id,
        deploymentId: deployment.id,
        sent,
        actor: "intake",
        createdAt: new Date(work.storedAt),
      })
      return { value: published, messages: published.messages }
    }),
  )
  if (value.outcome === "different") return yield* duplicateTag(value)
  return { versionId: value.version.id, tag: value.version.tag, status: value.outcome }
})

/** Characters of what was sent that a refusal quotes: a publisher may send megabytes, its refusal must still travel. */
const quotedLengthMax = 500

/** Refused is an outcome too: an event of the workspace, so that people see what CI was told. */
const refuse = Effect.fnUntraced(function* (
  workspace: WorkspaceRow,
  message: Partial<VersionMessage>,
  error: ApiError,
): Effect.fn.Return<VersionAnswer, StorageError, Door> {
  const door = yield* Door
  const deployment = message.deployment?.slice(0, quotedLengthMax)
  const tag = message.tag?.slice(0, quotedLengthMax)
  const why = error.message.slice(0, quotedLengthMax)
  yield* door.commit(workspace.id, tx =>
    Effect.map(
      happened(tx, workspace.id, {
        type: "version.refused",
        subject: deployment ?? workspace.id,
        actor: "intake",
        data: { code: error.code, message: why, deployment: deployment ?? null, tag: tag ?? null },
      }),
      event => ({ value: undefined, messages: [event] }),
    ),
  )
  return refusedAnswer(apiError(error.code, why, error.details), tag)
})

const refusedAnswer = (error: ApiError, tag?: string): VersionAnswer => ({
  ...(tag === undefined ? {} : { tag }),
  status: "refused",
  code: error.code,
  message: error.message,
})

/** Only inboxes are answered: any other subject would let a publisher speak with our permissions. */
const reply = Effect.fnUntraced(function* (work: Work, answer: VersionAnswer) {
  const inbox = work.header(replyToHeader)
  if (inbox === undefined || !/^_INBOX\.[^\s*>]+$/.test(inbox)) return
  const bus = yield* Bus
  yield* bus.announce(inbox, encoder.encode(JSON.stringify(answer)))
})
