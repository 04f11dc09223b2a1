/** The door on a real store: see `door.ts` for what it promises. */
import type { Envelope } from "@sluice/protocol/envelope"
import { partitionOf } from "@sluice/protocol/partition"
import { subjects } from "@sluice/protocol/subjects"
import { Deferred, Effect, Layer, Schema } from "effect"
import { Numbering } from "./collector.ts"
import { reached } from "./crash-point.ts"
import { Door, type DoorMessage, type Receipt } from "./door.ts"
import { type GroupCommit, groupCommit } from "./group-commit.ts"
import { derivedId } from "./ids.ts"
import { PartitionStore } from "./partition-store.ts"
import { Bus, type BusError, Storage, StorageError, type Tx } from "./ports.ts"
import { RelayService } from "./relay.ts"
import { checkSendable } from "./sendable.ts"

/** A door's transaction that keeps meeting conflicts is repeated this often, then refused as unavailable. */
const conflictsMax = 20

const ReceiptMessage = Schema.fromJsonString(
  Schema.Struct({
    messageId: Schema.String,
    outcome: Schema.Literals(["applied", "refused", "dead"]),
    reason: Schema.optionalKey(Schema.String),
  }),
)
const decodeReceipt = Schema.decodeUnknownOption(ReceiptMessage)
const decoder = new TextDecoder()

export const doorLayer: Layer.Layer<Door, BusError, Bus | PartitionStore | Storage | RelayService> = Layer.effect(
  Door,
  Effect.gen(function* () {
    const bus = yield* Bus
    const storage = yield* Storage
    const store = yield* PartitionStore
    const relay = yield* RelayService
    const { partitions, incarnation } = store.installation
    const waiting = new Map<string, Deferred.Deferred<Receipt>>()

    yield* bus.listen(subjects(bus.namespace).receipts(), (_, data) => {
      const receipt = decodeReceipt(decoder.decode(data))
      if (receipt._tag === "None") return
      const caller = waiting.get(receipt.value.messageId)
      if (caller !== undefined) Deferred.doneUnsafe(caller, Effect.succeed(verdict(receipt.value)))
    })

    const number = (tx: Tx, workspaceId: string, list: ReadonlyArray<DoorMessage>) => {
      const at = { kind: "door" as const, partition: partitionOf(workspaceId, partitions) }
      return store.number(tx, at, head => {
        const numbering = new Numbering({ at, partitions, incarnation }, head)
        const envelopes = list.map((message, i) =>
          numbering.send(message, {
            // The door's next number names the cause of a message that has none.
            correlationId:
              message.correlationId ??
              derivedId(
                head.now,
                `${at.partition}.${numbering.outbox.length}.${i}.${workspaceId}.${head.drawn.get(`${message.kind}.${partitionOf(message.key, partitions)}`) ?? 0}.${message.key}`,
              ),
            ...(message.causationId === undefined ? {} : { causationId: message.causationId }),
          }),
        )
        return { value: { at, envelopes }, outbox: numbering.outbox, drawn: numbering.drawn }
      })
    }

    const sendable = (list: ReadonlyArray<DoorMessage>) =>
      Effect.try({
        try: () => {
          for (const message of list) checkSendable({ _tag: "Send", ...message })
        },
        catch: error =>
          new StorageError({ fault: "message", message: error instanceof Error ? error.message : String(error) }),
      })

    const commit = <A, E>(
      workspaceId: string,
      work: (tx: Tx) => Effect.Effect<{ readonly value: A; readonly messages: ReadonlyArray<DoorMessage> }, E>,
      beforeCommit: (envelopes: ReadonlyArray<Envelope>) => void = () => {},
      notCommitted: Effect.Effect<void> = Effect.void,
    ) =>
      Effect.gen(function* () {
        const { value, at, envelopes } = yield* storage
          .transaction("read committed", tx =>
            Effect.gen(function* () {
              const { value, messages } = yield* work(tx)
              yield* sendable(messages)
              const numbered = yield* number(tx, workspaceId, messages)
              beforeCommit(numbered.envelopes)
              return { value, ...numbered }
            }),
          )
          .pipe(Effect.onError(() => notCommitted))
          .pipe(Effect.retry({ times: conflictsMax, while: isConflict }))
        yield* reached("door-committed")
        yield* relay.committed({ source: at, outbox: envelopes, activities: [], receipts: [] })
        return { value, messageIds: envelopes.map(envelope => envelope.id) }
      })

    const ask: (typeof Door)["Service"]["ask"] = (workspaceId, wait, work) =>
      Effect.gen(function* () {
        const answered = yield* Deferred.make<Receipt>()
        let id = ""
        // Numbers that were not committed are drawn again, by whoever comes next: a receipt for one of them is not ours.
        const forget = Effect.sync(() => {
          if (waiting.get(id) === answered) waiting.delete(id)
        })
        return yield* Effect.gen(function* () {
          const { value, messageIds } = yield* commit(
            workspaceId,
            tx => Effect.map(work(tx), ({ value, message }) => ({ value, messages: [{ ...message, receipt: true }] })),
            // Before the commit: the receipt may be announced before its answer is here.
            ([envelope]) => {
              id = envelope?.id ?? ""
              waiting.set(id, answered)
            },
            forget,
          )
          const messageId = messageIds[0] ?? ""
          const heard = yield* Deferred.await(answered).pipe(Effect.timeoutOption(wait))
          if (heard._tag === "Some") return { value, messageId, receipt: heard.value }
          // The announcement may have been lost; the row is the truth.
          const row = yield* store.receipt(messageId)
          return { value, messageId, receipt: row === undefined ? ({ _tag: "Pending" } as const) : verdict(row) }
        }).pipe(Effect.ensuring(forget))
      })

    /** One group per door partition: its row is what they would queue for one by one. */
    const groups = new Map<number, GroupCommit<Posted>>()
    const post = (posted: Posted) =>
      Effect.suspend(() => {
        const partition = partitionOf(posted.workspaceId, partitions)
        const group = groups.get(partition) ?? groupCommit(one => 1 + one.messages.length, commitTogether)
        groups.set(partition, group)
        return group.add(posted)
      })
    const commitTogether = (list: ReadonlyArray<Posted>) =>
      Effect.asVoid(
        commit(list[0]?.workspaceId ?? "", tx =>
          Effect.gen(function* () {
            const workIds = list.flatMap(one => one.workId ?? [])
            const first = new Set(workIds.length === 0 ? [] : yield* store.activitiesDone(tx, workIds))
            const messages = list.flatMap(one => {
              // Each result counts once: two deliveries of the same work may stand in one group.
              if (one.workId !== undefined && !first.delete(one.workId)) return []
              return one.messages
            })
            return { value: undefined, messages }
          }),
        ),
      )

    return {
      commit: (workspaceId, work) => commit(workspaceId, work),
      post: (workspaceId, messages) => post({ workspaceId, messages }),
      complete: (workspaceId, workId, messages) => post({ workspaceId, workId, messages }),
      ask,
    }
  }),
)

interface Posted {
  readonly workspaceId: string
  /** Of a result: the work that is done by it. */
  readonly workId?: string
  readonly messages: ReadonlyArray<DoorMessage>
}

const verdict = (row: { readonly outcome: string; readonly reason?: string }): Receipt =>
  row.outcome === "applied" ? { _tag: "Applied" } : { _tag: "Refused", reason: row.reason ?? row.outcome }

const isConflict = (error: unknown): boolean =>
  typeof error === "object" &&
  error !== null &&
  (error as StorageError)._tag === "StorageError" &&
  (error as StorageError).fault === "conflict"
