/** The event stream of a workspace. A browser that reconnects sends the last id it saw; that wins over the address. */

import { Storage } from "@sluice/actor/ports"
import * as api from "@sluice/api/events"
import { Effect, Stream } from "effect"
import { HttpServerResponse } from "effect/http"
import { eventStream } from "../event-stream.ts"
import { inWorkspace, Raw } from "../route.ts"

const stream = inWorkspace(
  api.streamEvents,
  Effect.fnUntraced(function* ({ query, header, workspace }) {
    const storage = yield* Storage
    const last = header("last-event-id")
    const after = last !== undefined && /^\d{1,15}$/.test(last) ? Number(last) : query.after
    const body = eventStream(workspace.id, after).pipe(Stream.provideService(Storage, storage))
    return new Raw(
      HttpServerResponse.stream(body, {
        contentType: "text/event-stream",
        headers: { "cache-control": "no-cache", "x-accel-buffering": "no" },
      }),
    )
  }),
)

export const eventRoutes = [stream]
