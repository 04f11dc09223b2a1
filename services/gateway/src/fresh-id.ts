/** UUIDv7s made at a door: for rows (the time is ours) and for versions from NATS (time and place are the broker's). */
import { randomBytes } from "node:crypto"
import { Clock, Effect } from "effect"

export const freshId: Effect.Effect<string> = Effect.map(Clock.currentTimeMillis, now => uuid7(now, randomBytes(10)))

/** At most this many ids are drawn at once: a provider's set is bounded by its body. */
export const freshIds = (count: number): Effect.Effect<ReadonlyArray<string>> =>
  Effect.map(Clock.currentTimeMillis, now => {
    const random = randomBytes(10 * count)
    return Array.from({ length: count }, (_, index) => uuid7(now, random.subarray(index * 10, index * 10 + 10)))
  })

/**
 * An id that sorts by broker time and then by stream sequence. The last four bytes are random, since a stream that was
 * lost and made anew hands out its sequences again.
 */
export const brokerId = (storedAt: number, sequence: number): Effect.Effect<string> =>
  Effect.sync(() => {
    const tail = Buffer.alloc(10)
    // Twelve bits before the variant bits and thirty-two after them: the sequence modulo 2^44.
    const high = Math.floor(sequence / 2 ** 32) % 2 ** 12
    tail.writeUInt16BE(high, 0)
    const low = sequence % 2 ** 32
    tail.writeUInt8(Math.floor(low / 2 ** 26), 2)
    tail.writeUInt32BE((low % 2 ** 26) * 2 ** 6, 3)
    randomBytes(3).copy(tail, 7)
    return uuid7(storedAt, tail)
  })

/** RFC 9562: 48 bits of milliseconds, then version, variant and the bits given. */
const uuid7 = (milliseconds: number, tail: Uint8Array): string => {
  const bytes = Buffer.alloc(16)
  bytes.writeUIntBE(milliseconds, 0, 6)
  bytes.set(tail, 6)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString("hex")
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-")
}
