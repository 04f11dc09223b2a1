/**
 * The sending side of the channels: publishes what was committed, and sends again what its destination has not applied:
 * at takeover, when asked, and when a channel has stood still for `resendAfter`. One per process; it serves the sources
 * (partitions and doors) this process owns. Losing anything here costs time, never a message: the outbox row stays.
 */
import type { ActivityWork } from "@sluice/protocol/activities"
import type { ActorKindName, Envelope, SourceKind } from "@sluice/protocol/envelope"
import { sourceKinds } from "@sluice/protocol/envelope"
import { streams, subjects } from "@sluice/protocol/subjects"
import { Clock, Context, Effect, Layer, Schema, Semaphore } from "effect"
import { reached } from "./crash-point.ts"
import { type ChannelBacklog, destinationOf, type PartitionId, PartitionStore } from "./partition-store.ts"
import { Bus, type BusError, type Publication } from "./ports.ts"

/** A channel whose first unapplied number has not moved for this long is sent again. */
const resendAfter = 2_000
const tickEvery = 400
/** One channel's messages sent again at once. */
const resendMessagesMax = 500
const activitiesPerTickMax = 500

export interface Committed {
  readonly source: PartitionId
  readonly outbox: ReadonlyArray<Envelope>
  readonly activities: ReadonlyArray<ActivityWork>
  readonly receipts: ReadonlyArray<{ readonly messageId: string; readonly outcome: string; readonly reason?: string }>
}

export interface Relay {
  /** Publishes a fresh commit. Returns at once. */
  readonly committed: (commit: Committed) => Effect.Effect<void>
  /** A destination misses `from` on the channel from `source`. */
  readonly ask: (
    source: PartitionId,
    destination: { readonly kind: ActorKindName; readonly partition: number },
    from: number,
  ) => Effect.Effect<void>
  /** This process owns the source from now on: everything unapplied is sent. */
  readonly own: (source: PartitionId) => Effect.Effect<void>
  readonly disown: (source: PartitionId) => Effect.Effect<void>
  /** Messages committed here and not yet applied, at the last look. */
  readonly backlog: () => number
}

const Ask = Schema.Struct({ kind: Schema.String, partition: Schema.Int, from: Schema.Int })
const decodeAsk = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.NullOr(Ask)))
const encoder = new TextEncoder()
const decoder = new TextDecoder()
const nameOf = (source: PartitionId): string => `${source.kind}.${source.partition}`

export class RelayService extends Context.Service<RelayService, Relay>()("@sluice/actor/Relay") {
  static readonly layer: Layer.Layer<RelayService, BusError, Bus | PartitionStore> = Layer.effect(
    RelayService,
    Effect.gen(function* () {
      const bus = yield* Bus
      const store = yield* PartitionStore
      const scope = yield* Effect.scope
      const runFork = Effect.runForkWith(yield* Effect.context<never>())
      const names = subjects(bus.namespace)
      const owned = new Map<string, PartitionId>()
      /** Sources that may have something unapplied. */
      const dirty = new Map<string, PartitionId>()
      const progress = new Map<string, { first: number; since: number }>()
      let backlog = 0
      const ticking = yield* Semaphore.make(1)

      const mailbox = (envelope: Envelope, again: boolean): Publication => ({
        subject: names.mailbox(envelope),
        data: encoder.encode(JSON.stringify(envelope)),
        // Sent again, it must be stored again: the broker's duplicate window would swallow it.
        ...(again ? {} : { messageId: envelope.id }),
      })

      const publishActivities = Effect.fnUntraced(function* (list: ReadonlyArray<ActivityWork>) {
        if (list.length === 0) return
        const stored = yield* bus.publish(
          list.map(work => ({
            subject: names.activity(work.name, work.workspaceId, work.key),
            data: encoder.encode(JSON.stringify(work)),
            messageId: work.id,
          })),
        )
        yield* reached("work-stored")
        yield* store.activitiesStored(list.filter((_, i) => stored[i]).map(work => work.id))
      })

      const announce = (receipt: Committed["receipts"][number]) =>
        bus.announce(names.receipt(receipt.messageId), encoder.encode(JSON.stringify(receipt)))

      const committed: Relay["committed"] = commit =>
        Effect.gen(function* () {
          if (commit.outbox.length > 0 || commit.activities.length > 0) {
            if (!owned.has(nameOf(commit.source))) {
              // A door of another process's: its owner reads the rows.
              yield* bus.announce(names.relayHint(commit.source.kind, commit.source.partition), encoder.encode("null"))
            } else dirty.set(nameOf(commit.source), commit.source)
          }
          yield* Effect.forEach(commit.receipts, announce, { discard: true })
          if (commit.outbox.length > 0) yield* bus.publish(commit.outbox.map(envelope => mailbox(envelope, false)))
          if (commit.activities.length > 0) yield* reached("outbox-published")
          yield* publishActivities(commit.activities)
        }).pipe(
          Effect.catch(error => Effect.logDebug(`a publication waits for the next tick: ${error.message}`)),
          Effect.forkIn(scope, { startImmediately: true }),
          Effect.asVoid,
        )

      const resend = Effect.fnUntraced(function* (channel: ChannelBacklog, from: number) {
        const envelopes = yield* store.outbox(channel.source, channel, from, resendMessagesMax)
        yield* bus.publish(envelopes.map(envelope => mailbox(envelope, true)))
      })

      /** Deletes what was applied; sends again what stands still. */
      const tick = Effect.fnUntraced(function* (force: PartitionId | undefined) {
        const sources = force === undefined ? [...dirty.values()] : [force]
        if (sources.length === 0) return
        const now = yield* Clock.currentTimeMillis
        const channels = yield* store.unapplied(sources)
        const work = yield* store.activities(sources, force === undefined ? resendAfter : 0, activitiesPerTickMax)
        const busy = new Set([
          ...channels.map(channel => nameOf(channel.source)),
          ...(work.length > 0 ? dirty.keys() : []),
        ])
        const young = yield* store.activities(sources, 0, 1)
        for (const source of sources) {
          if (!busy.has(nameOf(source)) && young.length === 0) dirty.delete(nameOf(source))
        }
        backlog = channels.reduce((sum, channel) => sum + channel.count, 0)
        for (const channel of channels) {
          const id = `${nameOf(channel.source)}>${destinationOf(channel.kind, channel.partition)}`
          const seen = progress.get(id)
          if (
            force !== undefined ||
            (seen !== undefined && seen.first === channel.first && now - seen.since >= resendAfter)
          ) {
            yield* resend(channel, channel.first)
            progress.set(id, { first: channel.first, since: now })
          } else if (seen === undefined || seen.first !== channel.first) {
            progress.set(id, { first: channel.first, since: now })
          }
        }
        yield* publishActivities(work)
      }, ticking.withPermits(1))

      const safely = <E extends { readonly message: string }>(effect: Effect.Effect<void, E>): Effect.Effect<void> =>
        Effect.catch(effect, error => Effect.logDebug(`the relay tries again: ${error.message}`))

      const asked = Effect.fnUntraced(function* (source: PartitionId, ask: typeof Ask.Type | null) {
        if (!owned.has(nameOf(source))) return
        dirty.set(nameOf(source), source)
        if (ask === null) return yield* tick(source)
        const channel = { source, kind: ask.kind as ActorKindName, partition: ask.partition, first: ask.from, count: 0 }
        yield* resend(channel, ask.from)
      })

      yield* Effect.forEach(sourceKinds, kind =>
        bus.listen(names.relayHints(kind), (subject, data) => {
          const partition = Number(subject.split(".").at(-1))
          const ask = decodeAsk(decoder.decode(data))
          if (ask._tag === "None" || !Number.isInteger(partition)) return
          runFork(safely(asked({ kind, partition }, ask.value)))
        }),
      )
      yield* safely(tick(undefined)).pipe(Effect.delay(tickEvery), Effect.forever, Effect.forkScoped)

      /** Everything outstanding of these sources is published again, by the next ticks. */
      const activitiesLost = (sources: ReadonlyArray<PartitionId>) =>
        Effect.gen(function* () {
          for (const source of sources) dirty.set(nameOf(source), source)
          if (sources.length > 0) yield* store.activitiesLost(sources)
        })
      yield* bus.listen(names.activitiesLost(), () => void runFork(safely(activitiesLost([...owned.values()]))))
      yield* bus.onStreamLost(streams(bus.namespace).activity(), bus.announce(names.activitiesLost(), new Uint8Array()))

      return {
        committed,
        ask: (source, destination, from) =>
          owned.has(nameOf(source))
            ? safely(asked(source, { ...destination, from })).pipe(Effect.forkIn(scope), Effect.asVoid)
            : bus.announce(
                names.relayHint(source.kind, source.partition),
                encoder.encode(JSON.stringify({ ...destination, from })),
              ),
        own: source =>
          Effect.suspend(() => {
            owned.set(nameOf(source), source)
            dirty.set(nameOf(source), source)
            const all = Effect.andThen(activitiesLost([source]), tick(source))
            return safely(all).pipe(Effect.forkIn(scope), Effect.asVoid)
          }),
        disown: source =>
          Effect.sync(() => {
            owned.delete(nameOf(source))
            dirty.delete(nameOf(source))
          }),
        backlog: () => backlog,
      }
    }),
  )
}

export type RelaySource = SourceKind
