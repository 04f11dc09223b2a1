/**
 * Follows a workspace's public events over server-sent events, from a sequence on, for as long as its scope is open. A
 * connection that breaks is opened anew after the last event seen, so that a restart of the services costs nothing.
 */
import { PublicEvent } from "@sluice/api/events"
import { Effect, Schema, type Scope } from "effect"
import type { Client } from "./client.ts"

const reopenAfter = 200

export const followEvents = (
  client: Client,
  options: { readonly after: number; readonly onEvent: (event: PublicEvent) => void },
): Effect.Effect<void, never, Scope.Scope> => {
  let last = options.after
  const connection = Effect.suspend(() => {
    let rest = ""
    // `after=0` means from the first; the header wins over it and is what a browser sends.
    return client.read(
      `/v1/workspaces/${client.workspaceId}/events?after=${last}`,
      { "last-event-id": String(last), accept: "text/event-stream" },
      text =>
        Effect.sync(() => {
          const frames = `${rest}${text}`.split("\n\n")
          rest = frames.pop() ?? ""
          for (const event of frames.flatMap(eventOf)) {
            if (event.sequence <= last) continue
            last = event.sequence
            options.onEvent(event)
          }
        }),
    )
  })
  return connection.pipe(
    Effect.catch(error => Effect.logDebug(`the event stream is opened anew: ${error.message}`)),
    Effect.andThen(Effect.sleep(reopenAfter)),
    Effect.forever,
    Effect.forkScoped,
    Effect.asVoid,
  )
}

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(PublicEvent))

/** The event of one frame; none for comments and for the notice of a gap. */
export const eventOf = (frame: string): ReadonlyArray<PublicEvent> => {
  const lines = frame.split("\n")
  if (!lines.some(line => line.startsWith("id: "))) return []
  const data = lines.filter(line => line.startsWith("data: ")).map(line => line.slice("data: ".length))
  return data.length === 0 ? [] : [decode(data.join("\n"))]
}
