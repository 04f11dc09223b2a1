/**
 * Makes the broker agree with a list of stream specs: creates what is missing, updates what differs, leaves everything
 * else alone (streams not in the list included). Idempotent, and safe when several processes do it at the same time.
 */
import {
  AckPolicy,
  type ConsumerConfig,
  DeliverPolicy,
  DiscardPolicy,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from "@nats-io/jetstream"
import { nanos } from "@nats-io/transport-node"
import type { BusError } from "@sluice/actor/ports"
import { Effect } from "effect"
import { attempt } from "./failure.ts"
import type { ConsumerSpec, StreamSpec } from "./stream-spec.ts"

/** What was done, one line each: `+` created, `~` changed. Empty when the broker agreed already. */
export const applyTopology = (
  jsm: JetStreamManager,
  list: ReadonlyArray<StreamSpec>,
): Effect.Effect<ReadonlyArray<string>, BusError> =>
  Effect.map(
    Effect.forEach(list, spec => applyStream(jsm, spec)),
    lines => lines.flat(),
  )

const newStream = "+ stream "
/** Whether a line of `applyTopology` says that a stream was created. */
export const isNewStream = (line: string): boolean => line.startsWith(newStream)

const applyStream = Effect.fnUntraced(function* (jsm: JetStreamManager, spec: StreamSpec) {
  const wanted = streamConfig(spec)
  const info = yield* orMissing(attempt(() => jsm.streams.info(spec.name)))
  const lines: Array<string> = []
  if (info === undefined) {
    yield* attempt(() => jsm.streams.add({ name: spec.name, ...wanted }))
    lines.push(`${newStream}${spec.name} (${spec.subjects.join(", ")})`)
  } else {
    const changes = difference(wanted, info.config)
    if (changes.length > 0) {
      yield* attempt(() => jsm.streams.update(spec.name, wanted))
      lines.push(`~ stream ${spec.name}: ${changes.join(", ")}`)
    }
  }
  for (const consumer of spec.consumers) lines.push(...(yield* applyConsumer(jsm, spec.name, consumer)))
  return lines
})

const applyConsumer = Effect.fnUntraced(function* (jsm: JetStreamManager, stream: string, spec: ConsumerSpec) {
  const wanted = consumerConfig(spec)
  const info = yield* orMissing(attempt(() => jsm.consumers.info(stream, spec.name)))
  if (info === undefined) {
    yield* attempt(() => jsm.consumers.add(stream, { durable_name: spec.name, ...wanted }))
    return [`+ consumer ${stream}/${spec.name} (${spec.filterSubject})`]
  }
  const changes = difference(wanted, info.config)
  if (changes.length === 0) return []
  yield* attempt(() => jsm.consumers.update(stream, spec.name, wanted))
  return [`~ consumer ${stream}/${spec.name}: ${changes.join(", ")}`]
})

const streamConfig = (spec: StreamSpec) =>
  ({
    description: spec.description,
    subjects: [...spec.subjects],
    retention: spec.retention === "limits" ? RetentionPolicy.Limits : RetentionPolicy.Workqueue,
    storage: StorageType.File,
    max_age: nanos(spec.maxAge ?? 0),
    max_msgs_per_subject: spec.messagesPerSubjectMax ?? -1,
    discard: spec.messagesPerSubjectMax === undefined ? DiscardPolicy.Old : DiscardPolicy.New,
    discard_new_per_subject: spec.messagesPerSubjectMax !== undefined,
    duplicate_window: nanos(spec.duplicateWindow),
    num_replicas: spec.replicas,
    allow_msg_ttl: true,
    allow_direct: true,
  }) satisfies Partial<StreamConfig>

const consumerConfig = (spec: ConsumerSpec) =>
  ({
    filter_subject: spec.filterSubject,
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    ack_wait: nanos(spec.ackWait),
    max_ack_pending: spec.ackPendingMax,
    max_deliver: -1,
  }) satisfies Partial<ConsumerConfig>

/** `name: was → is` for each field that differs. The broker leaves zero and false out of what it answers. */
const difference = (wanted: Readonly<Record<string, unknown>>, actual: object): ReadonlyArray<string> =>
  Object.entries(wanted).flatMap(([name, is]) => {
    const was = (actual as Record<string, unknown>)[name] ?? absent(is)
    const [before, after] = [JSON.stringify(was), JSON.stringify(is)]
    return before === after ? [] : [`${name} ${before} → ${after}`]
  })

const absent = (wanted: unknown): unknown =>
  typeof wanted === "boolean" ? false : typeof wanted === "number" ? 0 : undefined

const orMissing = <A>(effect: Effect.Effect<A, BusError>): Effect.Effect<A | undefined, BusError> =>
  Effect.catchIf(
    effect as Effect.Effect<A | undefined, BusError>,
    error => error.reason === "missing",
    () => Effect.undefined,
  )
