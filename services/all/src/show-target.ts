/**
 * `npm run target -- <key>`: what lies in one release target's own mailbox, in the order of its stream, read from NATS. Looks
 * and changes nothing. Mailboxes age out after a day; `…/history` of the API keeps everything.
 */
import { Bus, type Delivery } from "@sluice/actor/ports"
import { layer as busLayer } from "@sluice/bus/bus"
import { parseReleaseTargetKey } from "@sluice/domain/ids"
import { keptNats } from "@sluice/process/embedded-nats"
import { homePaths } from "@sluice/process/home"
import { runMain } from "@sluice/process/run"
import { loadSettings, type Settings } from "@sluice/process/settings"
import { splitNatsUrl } from "@sluice/process/start-servers"
import { Envelope } from "@sluice/protocol/envelope"
import { streams, subjects } from "@sluice/protocol/subjects"
import { Clock, Effect, Option, Redacted, Schema } from "effect"

class ShowError extends Schema.TaggedError<ShowError>()("ShowError", { message: Schema.String }) {}

/** Milliseconds without another message after which everything stored was shown; the broker delivers without pauses. */
const caughtUpAfter = 1_000
const lookAgainAfter = 100

const main = Effect.gen(function* () {
  const key = process.argv[2]
  if (key === undefined || parseReleaseTargetKey(key) === undefined) {
    return yield* new ShowError({
      message: "Usage: npm run target -- <key>, where the key is <resource id>-<environment id>-<deployment id>.",
    })
  }
  const settings = yield* loadSettings()
  const nats = yield* natsOf(settings)
  const count = yield* Effect.scoped(show(settings.namespace, key)).pipe(
    Effect.provide(busLayer({ ...nats, namespace: settings.namespace, name: "sluice-target" })),
  )
  process.stdout.write(count === 0 ? "Nothing is stored for this target.\n" : `${count} messages.\n`)
})

/** Prints what there is; answers how many messages it was. */
const show = Effect.fnUntraced(function* (namespace: string, key: string) {
  const bus = yield* Bus
  let count = 0
  let last = yield* Clock.currentTimeMillis
  const clock = yield* Clock.Clock
  yield* bus.read({
    stream: streams(namespace).mailbox("target"),
    subject: subjects(namespace).mailboxAnywhere("target", key),
    from: () => 0,
    onDelivery: delivery => {
      count += 1
      last = clock.currentTimeMillisUnsafe()
      process.stdout.write(`${lineOf(delivery)}\n`)
    },
  })
  while ((yield* Clock.currentTimeMillis) - last < caughtUpAfter) yield* Effect.sleep(lookAgainAfter)
  return count
})

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Envelope))

/** Time, message, where it came from and its number there, body. */
const lineOf = ({ data, storedAt }: Delivery): string => {
  const text = new TextDecoder().decode(data)
  const at = new Date(storedAt).toISOString()
  return Option.match(decode(text), {
    onNone: () => `${at}  ${text}`,
    onSome: ({ type, source, number, body }) =>
      `${at}  ${type.padEnd(21)}  ${`${source.kind} ${source.partition} #${number}`.padEnd(22)}  ${JSON.stringify(body)}`,
  })
}

const natsOf = Effect.fnUntraced(function* (settings: Settings) {
  if (settings.natsUrl !== undefined) {
    const { url, login } = splitNatsUrl(Redacted.value(settings.natsUrl))
    return {
      servers: [url],
      ...(login === undefined ? {} : { user: login.user, pass: Redacted.value(login.password) }),
    }
  }
  const kept = keptNats(homePaths(settings.home))
  if (kept === undefined) {
    return yield* new ShowError({ message: `${settings.home} has no embedded NATS: set SLUICE_HOME, or NATS_URL.` })
  }
  return { servers: [kept.url], user: kept.user, pass: Redacted.value(kept.password) }
})

runMain(main)
