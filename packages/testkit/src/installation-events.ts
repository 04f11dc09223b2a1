/**
 * The workspace's event stream, read from its beginning for as long as a test lasts and resumed where it broke off. It is
 * the one driver of time: whoever waits looks again when something happened. Opened before anything is triggered, so that
 * no wait can come too late.
 */
import type { PublicEvent } from "@sluice/api/events"
import type { Api } from "./installation-api.ts"

/** States without an event of their own (a timer's effect, an outage) are looked at this often. */
const lookAgainMilliseconds = 150
const reconnectMilliseconds = 200
export const waitSecondsDefault = 30

export interface EventFeed {
  readonly events: ReadonlyArray<PublicEvent>
  /**
   * Looks now and after every event until `good`. A timeout says what was waited for, what was seen last, and the newest
   * events.
   */
  readonly until: <A>(
    what: string,
    look: () => Promise<A> | A,
    good: (value: A) => boolean,
    seconds?: number,
  ) => Promise<A>
  readonly close: () => void
}

export const openEvents = (api: Api): EventFeed => {
  const events: Array<PublicEvent> = []
  const listeners = new Set<() => void>()
  const closing = new AbortController()
  const read = async (): Promise<void> => {
    const response = await fetch(api.address("W/events?after=0"), {
      headers: { "X-API-Key": api.key, "Last-Event-ID": String(events.at(-1)?.sequence ?? 0) },
      signal: closing.signal,
    })
    if (!response.ok || response.body === null) throw new Error(`the event stream was answered ${response.status}`)
    for await (const frame of framesOf(response.body)) {
      if (frame.data === undefined || frame.event === "gap") continue
      events.push(JSON.parse(frame.data))
      for (const listener of listeners) listener()
    }
  }
  const follow = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      try {
        await read()
      } catch {
        // The gateway is away, or we are closing: the loop's condition tells which.
      }
      await new Promise(resolve => setTimeout(resolve, reconnectMilliseconds))
    }
  }
  void follow()

  const news = (): Promise<void> =>
    new Promise(resolve => {
      const done = () => {
        clearTimeout(timer)
        listeners.delete(done)
        resolve()
      }
      const timer = setTimeout(done, lookAgainMilliseconds)
      listeners.add(done)
    })

  return {
    events,
    close: () => closing.abort(),
    until: async (what, look, good, seconds = waitSecondsDefault) => {
      const giveUpAt = Date.now() + seconds * 1_000
      while (true) {
        const heard = news()
        const seen = await attempt(look)
        if (seen._tag === "Seen" && good(seen.value)) return seen.value
        if (Date.now() > giveUpAt) {
          const last = events.slice(-8).map(event => `${event.sequence} ${event.type} ${JSON.stringify(event.data)}`)
          const shown = seen._tag === "Seen" ? JSON.stringify(seen.value, null, 1) : seen.error
          throw new Error(`waited ${seconds} s for ${what}; saw ${shown}\nlast events:\n${last.join("\n")}`)
        }
        await heard
      }
    },
  }
}

type Attempt<A> = { readonly _tag: "Seen"; readonly value: A } | { readonly _tag: "Failed"; readonly error: string }

/** Looking may fail while services are away; that is what was seen then. */
const attempt = async <A>(look: () => Promise<A> | A): Promise<Attempt<A>> => {
  try {
    return { _tag: "Seen", value: await look() }
  } catch (error) {
    return { _tag: "Failed", error: String(error) }
  }
}

export interface Frame {
  readonly id?: string
  readonly event?: string
  readonly data?: string
}

/** Server-sent events (WHATWG HTML 9.2), as far as this server sends them: one line per field, LF endings. */
export async function* framesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Frame> {
  const decoder = new TextDecoder()
  let rest = ""
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true })
    const parts = rest.split("\n\n")
    rest = parts.pop() ?? ""
    for (const part of parts) {
      const fields = part.split("\n").flatMap(line => {
        const colon = line.indexOf(":")
        return colon < 1 ? [] : [[line.slice(0, colon), line.slice(colon + 1).trimStart()] as const]
      })
      yield Object.fromEntries(fields)
    }
  }
}
