/**
 * The measurement behind `packages/actor/decisions/0001`: one JetStream consumer per target against one reader per
 * partition, on the same broker in the same run. `node test/bench/consumer-per-target.ts [targets]`, after `npm ci`.
 */
import { AckPolicy, DeliverPolicy, jetstream, jetstreamManager, RetentionPolicy, StorageType } from "@nats-io/jetstream"
import { connect } from "@nats-io/transport-node"
import { natsServer } from "@sluice/testkit/nats"
import { Effect, Redacted } from "effect"

const targets = Number(process.argv[2] ?? 900)
const perTarget = 10
const partitions = 16

const timed = async <A>(what: string, work: () => Promise<A>): Promise<A> => {
  const start = performance.now()
  const result = await work()
  console.log(`${what.padEnd(58)} ${((performance.now() - start) / 1000).toFixed(2)} s`)
  return result
}

const measure = async (url: string, user: string, pass: string): Promise<void> => {
  const nc = await connect({ servers: url, user, pass })
  const js = jetstream(nc)
  const jsm = await jetstreamManager(nc)
  const publish = (stream: string, subject: (i: number) => string) =>
    Promise.all(
      Array.from({ length: targets * perTarget }, (_, i) =>
        js.publish(subject(i), new Uint8Array(300), { expect: { streamName: stream } }),
      ),
    )
  for (const stream of ["a", "b"]) {
    await jsm.streams.add({
      name: stream,
      subjects: [`${stream}.>`],
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
    })
  }

  await publish("a", i => `a.${i % targets}`)
  const consumers = await timed(`${targets} consumers, one per target: create`, async () => {
    const names: Array<string> = []
    for (let i = 0; i < targets; i++) {
      const { name } = await jsm.consumers.add("a", {
        durable_name: `t${i}`,
        filter_subject: `a.${i}`,
        ack_policy: AckPolicy.Explicit,
      })
      names.push(name)
    }
    return names
  })
  await timed(`${targets} consumers: fetch and ack ${perTarget} messages each`, async () => {
    for (const name of consumers) {
      const consumer = await js.consumers.get("a", name)
      for await (const message of await consumer.fetch({ max_messages: perTarget, expires: 1_000 })) message.ack()
    }
  })
  await nc.flush()

  await publish("b", i => `b.${(i % targets) % partitions}.${i % targets}`)
  const readers = await timed(`${partitions} readers, one per partition: create`, () =>
    Promise.all(
      Array.from({ length: partitions }, (_, p) =>
        js.consumers.get("b", { filter_subjects: [`b.${p}.>`], deliver_policy: DeliverPolicy.All }),
      ),
    ),
  )
  await timed(`${partitions} readers: read all ${targets * perTarget} messages in order`, async () => {
    await Promise.all(
      readers.map(async (reader, p) => {
        const messages = await reader.consume({ max_messages: 500 })
        const count =
          perTarget * Array.from({ length: targets }, (_, t) => t % partitions).filter(one => one === p).length
        let seen = 0
        for await (const _ of messages) if (++seen >= count) break
        await messages.close()
      }),
    )
  })

  let refused = "none"
  for (let i = targets; i < 1_100; i++) {
    try {
      await jsm.consumers.add("a", { durable_name: `t${i}`, filter_subject: `a.${i}`, ack_policy: AckPolicy.Explicit })
    } catch (error) {
      refused = `the ${i + 1}th: ${(error as Error).message}`
      break
    }
  }
  console.log(`first refused consumer: ${refused}`)
  await nc.close()
}

await Effect.runPromise(
  Effect.scoped(
    Effect.gen(function* () {
      const { url, user, password } = yield* natsServer
      yield* Effect.promise(() => measure(url, user, Redacted.value(password)))
    }),
  ),
)
