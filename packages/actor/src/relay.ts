/**
 * The sending side of the channels: publishes what was committed, and sends again what its destination has not applied:
 * at takeover, when asked, and when a channel stands still. One per process; it serves the sources (partitions and doors)
 * this process owns. Losing anything here costs time, never a message: the outbox row stays, and is looked for regularly.
 */
import type { ActivityWork } from "@sluice/protocol/activities"
import { actorKinds, type Envelope, sourceKinds } from "@sluice/protocol/envelope"
import { streams, subjects } from "@sluice/protocol/subjects"
import { Clock, Context, Effect, Latch, Layer, Schema } from "effect"
import { reached } from "./crash-point.ts"
import { type PartitionId, PartitionStore } from "./partition-store.ts"
import { Bus, type BusError, type Publication } from "./ports.ts"
import { channelName, type Destination, nameOf, Resends, resendAfter } from "./resends.ts"

/** Sources that were committed to are looked at this often, all of them at every sweep. */
const tickEvery = 400
/** Whoever committed may have died before it told anybody, or could not say whether the commit was made. */
const sweepEvery = 2_000
/** One channel's messages sent again at once. */
const resendMessagesMax = 500
/** Channels sent again at the same time: each holds its messages in memory until the broker has them. */
const resendChannelsMax = 8
/** Whoever misses something asks again sooner than a lost acknowledgement is given up. */
const resendPatience = 1_000
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
  readonly ask: (source: PartitionId, destination: Destination, from: number) => Effect.Effect<void>
  /** This process owns the source from now on: everything unapplied is sent. */
  readonly own: (source: PartitionId) => Effect.Effect<void>
  readonly disown: (source: PartitionId) => Effect.Effect<void>
  /** Messages committed here and not yet applied, at the last look. */
  readonly backlog: () => number
}

const Ask = Schema.Struct({ kind: Schema.Literals(actorKinds), partition: Schema.Int, from: Schema.Int })
const decodeAsk = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.NullOr(Ask)))
const encoder = new TextEncoder()
const decoder = new TextDecoder()

export class RelayService extends Context.Service<RelayService, Relay>()("@sluice/actor/Relay") {
  static readonly layer: Layer.Layer<RelayService, BusError, Bus | PartitionStore> = Layer.effect(
    RelayService,
    Effect.gen(function* () {
      const bus = yield* Bus
      const store = yield* PartitionStore
      const scope = yield* Effect.scope
      const run = Effect.runForkWith(yield* Effect.context<never>())
      const names = subjects(bus.namespace)
      const owned = new Map<string, PartitionId>()
      /** Sources that may have something unapplied. */
      const dirty = new Map<string, PartitionId>()
      /** Sources of which everything unapplied is sent, and all their work, at the next tick. */
      const urgent = new Map<string, PartitionId>()
      const counts = new Map<string, number>()
      const resends = new Resends()
      const sending = new Set<string>()
      const wanted = yield* Latch.make(false)
      let sweepAt = 0

      const publishMessages = (list: ReadonlyArray<Envelope>, again: boolean) =>
        bus.publish(
          list.map(
            (envelope): Publication => ({
              subject: names.mailbox(envelope),
              data: encoder.encode(JSON.stringify(envelope)),
              // Sent again, it must be stored again: the broker's duplicate window would swallow it.
              ...(again ? {} : { messageId: envelope.id }),
            }),
          ),
        )

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

      const safely = <E extends { readonly message: string }>(effect: Effect.Effect<void, E>): Effect.Effect<void> =>
        effect.pipe(
          Effect.catch(error => Effect.logDebug(`the relay tries again: ${error.message}`)),
          Effect.catchDefect(defect => Effect.logError("the relay broke on something and goes on", defect)),
        )
      const inBackground = <E extends { readonly message: string }>(effect: Effect.Effect<void, E>) =>
        Effect.asVoid(Effect.forkIn(safely(effect), scope, { startImmediately: true }))

      const committed: Relay["committed"] = commit =>
        inBackground(
          Effect.gen(function* () {
            if (commit.outbox.length > 0 || commit.activities.length > 0) {
              if (owned.has(nameOf(commit.source))) dirty.set(nameOf(commit.source), commit.source)
              // A door of another process's: its owner sends again what gets lost.
              else {
                yield* bus.announce(
                  names.relayHint(commit.source.kind, commit.source.partition),
                  encoder.encode("null"),
                )
              }
            }
            yield* Effect.forEach(commit.receipts, announce, { discard: true })
            if (commit.outbox.length > 0) yield* publishMessages(commit.outbox, false)
            if (commit.activities.length > 0) yield* reached("outbox-published")
            yield* publishActivities(commit.activities)
          }),
        )

      /** One at a time per channel: whoever asks meanwhile gets the same messages. */
      const resend = (source: PartitionId, destination: Destination, from: number) =>
        Effect.suspend(() => {
          const channel = channelName(source, destination)
          if (sending.has(channel)) return Effect.void
          sending.add(channel)
          return Effect.gen(function* () {
            const envelopes = yield* store.outbox(source, destination, from, resendMessagesMax)
            resends.sent(source, destination, envelopes.at(-1)?.number ?? 0)
            yield* Effect.timeoutOption(publishMessages(envelopes, true), resendPatience)
          }).pipe(Effect.ensuring(Effect.sync(() => sending.delete(channel))))
        })

      /** Deletes what was applied; sends again what stands still. */
      const look = Effect.fnUntraced(function* (
        now: number,
        sources: ReadonlyArray<PartitionId>,
        hurried: ReadonlyArray<PartitionId>,
      ) {
        if (hurried.length > 0) yield* store.activitiesLost(hurried)
        const channels = yield* store.unapplied(sources)
        for (const source of sources) counts.set(nameOf(source), 0)
        for (const { source, count } of channels) {
          counts.set(nameOf(source), (counts.get(nameOf(source)) ?? 0) + count)
          if (owned.has(nameOf(source))) dirty.set(nameOf(source), source)
        }
        const due = resends.due(channels, now, new Set(hurried.map(nameOf)))
        yield* Effect.forEach(due, ({ source, first, ...destination }) => resend(source, destination, first), {
          concurrency: resendChannelsMax,
          discard: true,
        })
        yield* publishActivities(
          yield* store.activities(sources, hurried.length > 0 ? 0 : resendAfter, activitiesPerTickMax),
        )
      })

      const tick = Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        if (now >= sweepAt) {
          for (const [name, source] of owned) dirty.set(name, source)
          sweepAt = now + sweepEvery
        }
        if (dirty.size === 0) return
        const [sources, hurried] = [[...dirty.values()], [...urgent.values()]]
        // Before looking: what is committed or hurried from here on is marked anew.
        dirty.clear()
        urgent.clear()
        yield* Effect.onError(look(now, sources, hurried), () => Effect.sync(() => markUrgent(hurried)))
      })

      const markUrgent = (sources: ReadonlyArray<PartitionId>): void => {
        for (const source of sources) {
          if (!owned.has(nameOf(source))) continue
          dirty.set(nameOf(source), source)
          urgent.set(nameOf(source), source)
        }
      }
      const hurry = (sources: ReadonlyArray<PartitionId>): void => {
        markUrgent(sources)
        wanted.openUnsafe()
      }

      const asked = (source: PartitionId, ask: typeof Ask.Type | null): Effect.Effect<void> => {
        if (!owned.has(nameOf(source))) return Effect.void
        dirty.set(nameOf(source), source)
        return ask === null ? Effect.void : inBackground(resend(source, ask, ask.from))
      }

      yield* Effect.forEach(sourceKinds, kind =>
        bus.listen(names.relayHints(kind), (subject, data) => {
          const partition = Number(subject.split(".").at(-1))
          const ask = decodeAsk(decoder.decode(data))
          if (ask._tag === "Some" && Number.isInteger(partition)) run(asked({ kind, partition }, ask.value))
        }),
      )
      // What was published while the broker was away is not there, and it may have come back empty.
      yield* bus.onReconnect(Effect.sync(() => hurry([...owned.values()])))
      yield* bus.listen(names.activitiesLost(), () => hurry([...owned.values()]))
      yield* bus.onStreamLost(streams(bus.namespace).activity(), bus.announce(names.activitiesLost(), new Uint8Array()))
      yield* safely(tick).pipe(
        Effect.andThen(Effect.timeoutOption(wanted.await, tickEvery)),
        Effect.andThen(wanted.close),
        Effect.forever,
        Effect.forkScoped,
      )

      return {
        committed,
        ask: (source, { kind, partition }, from) =>
          owned.has(nameOf(source))
            ? asked(source, { kind, partition, from })
            : bus.announce(
                names.relayHint(source.kind, source.partition),
                encoder.encode(JSON.stringify({ kind, partition, from })),
              ),
        own: source =>
          Effect.sync(() => {
            owned.set(nameOf(source), source)
            hurry([source])
          }),
        disown: source =>
          Effect.sync(() => {
            for (const map of [owned, dirty, urgent, counts]) map.delete(nameOf(source))
          }),
        backlog: () => [...counts.values()].reduce((sum, count) => sum + count, 0),
      }
    }),
  )
}
