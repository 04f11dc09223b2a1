/**
 * A proxy hook that sees whole NATS messages, so that a test can drop, repeat or swap them. Everything else of the protocol
 * (INFO, CONNECT, PING, SUB, +OK …) passes untouched. Only as much of the protocol as that needs.
 */
import type { ByteHook, Transform } from "./proxy.ts"

export interface NatsFrame {
  readonly subject: string
  readonly payload: Buffer
  /** The frame as it was on the wire, headers included. */
  readonly bytes: Buffer
}

/** Frames to pass on instead of this one, in order; called with messages only. */
export type OnFrame = (frame: NatsFrame) => ReadonlyArray<Buffer>

/** `toServer` sees what clients publish, `toClient` what the server delivers. */
export const natsHook =
  (options: { readonly toServer?: OnFrame; readonly toClient?: OnFrame }): ByteHook =>
  () => ({
    ...(options.toServer === undefined ? {} : { toServer: byFrame(options.toServer) }),
    ...(options.toClient === undefined ? {} : { toClient: byFrame(options.toClient) }),
  })

const lineEnd = Buffer.from("\r\n")

const byFrame = (onFrame: OnFrame): Transform => {
  let rest: Buffer = Buffer.alloc(0)
  return chunk => {
    rest = Buffer.concat([rest, chunk])
    const out: Array<Buffer> = []
    for (;;) {
      const end = rest.indexOf(lineEnd)
      if (end < 0) return out
      const size = frameSize(rest.toString("latin1", 0, end))
      const total = end + lineEnd.length + (size === undefined ? 0 : size.total + lineEnd.length)
      if (rest.length < total) return out
      const bytes = rest.subarray(0, total)
      rest = rest.subarray(total)
      if (size === undefined) out.push(bytes)
      else {
        const start = end + lineEnd.length
        const payload = bytes.subarray(start + size.headers, start + size.total)
        out.push(...onFrame({ subject: size.subject, payload, bytes }))
      }
    }
  }
}

/** `MSG subject sid [reply] n`, `HMSG subject sid [reply] headers total`, `PUB subject [reply] n`, `HPUB subject [reply] headers total`. */
const frameSize = (line: string) => {
  const [verb, subject = "", ...others] = line.trim().split(/\s+/)
  const total = Number(others.at(-1))
  switch (verb?.toUpperCase()) {
    case "MSG":
    case "PUB":
      return { subject, headers: 0, total }
    case "HMSG":
    case "HPUB":
      return { subject, headers: Number(others.at(-2)), total }
    default:
      return undefined
  }
}
