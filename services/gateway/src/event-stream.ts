/**
 * A workspace's public events as server-sent events. Numbers are drawn under the event log's lock, so reading on from the
 * last one misses nothing; the stream looks again at a fixed interval, which needs no hint to be true.
 */
import { Storage, type StorageError } from "@sluice/actor/ports"
import type { PublicEvent } from "@sluice/api/events"
import { type EventRow, eventBounds, readEvents } from "@sluice/store/events"
import { Duration, Effect, Option, Schedule, Stream } from "effect"
import { isoTime, present } from "./render.ts"

/** One indexed read per reader and interval; people do not see less than this. */
const lookAgainAfter = Duration.millis(250)
/** One read brings at most this many: a reader far behind catches up in steps that fit its socket. */
const eventsPerReadMax = 500
/** Looks without news before a comment keeps proxies from closing the connection: 15 s. */
const quietLooksMax = 60

interface Position {
  readonly after: number
  readonly quiet: number
}

/** `after`: the last sequence the reader has; `undefined`: from now on. Ends with the connection. */
export const eventStream = (
  workspaceId: string,
  after: number | undefined,
): Stream.Stream<Uint8Array, never, Storage> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const storage = yield* Storage
      const { first, last } = yield* storedOrRetry(eventBounds(storage, workspaceId))
      // Behind what is kept, or ahead of what there is (a database that was restored): the reader must read anew.
      const gap = after !== undefined && (after + 1 < first || after > last)
      const start = after === undefined || after > last ? last : gap ? first - 1 : after
      const opening = gap ? gapFrame({ after: after ?? 0, first, last }) : `: from ${start}\n\n`
      const look = Effect.fnUntraced(function* ({ after, quiet }: Position) {
        const rows = yield* storedOrRetry(readEvents(storage, workspaceId, after, eventsPerReadMax))
        const next: Position = { after: rows.at(-1)?.sequence ?? after, quiet: rows.length > 0 ? 0 : quiet + 1 }
        if (rows.length < eventsPerReadMax) yield* Effect.sleep(lookAgainAfter)
        if (next.quiet < quietLooksMax) return [rows.map(frame), next] as const
        return [[": still here\n\n"], { ...next, quiet: 0 }] as const
      })
      return Stream.concat(
        Stream.succeed(opening),
        Stream.paginate({ after: start, quiet: 0 } as Position, position =>
          Effect.map(look(position), ([frames, next]) => [frames, Option.some(next)] as const),
        ),
      )
    }),
  ).pipe(Stream.map(text => encoder.encode(text)))

/** A database that is away for a moment does not end the stream: the reader's position is still true when it is back. */
const storedOrRetry = <A>(work: Effect.Effect<A, StorageError>): Effect.Effect<A> =>
  work.pipe(Effect.retry(Schedule.spaced("1 second")), Effect.orDie)

const encoder = new TextEncoder()

const frame = (row: EventRow): string =>
  `id: ${row.sequence}\nevent: ${row.type}\ndata: ${JSON.stringify(renderEvent(row))}\n\n`

const gapFrame = (data: { readonly after: number; readonly first: number; readonly last: number }): string =>
  `event: gap\ndata: ${JSON.stringify(data)}\n\n`

export const renderEvent = (row: EventRow): PublicEvent => ({
  id: row.id,
  sequence: row.sequence,
  type: row.type,
  version: row.version,
  at: isoTime(row.at),
  workspaceId: row.workspaceId,
  subject: row.subject,
  actor: row.actor,
  correlationId: row.correlationId,
  data: row.data,
  ...present({ causationId: row.causationId }),
})
