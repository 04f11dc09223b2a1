/** Fresh ids derived from their cause: a batch that is repeated makes the same ids again, so repeating changes nothing. */
import { createHash } from "node:crypto"

/**
 * A UUIDv7 (RFC 9562): 48 bits of `now` in milliseconds, then bits of SHA-256 over the cause instead of random ones.
 * @param cause names what the id is made for, a counter included; unique within the installation.
 */
export const derivedId = (now: number, cause: string): string => {
  const hash = createHash("sha256").update(cause).digest()
  const time = Math.trunc(now).toString(16).padStart(12, "0")
  const a = ((hash.readUInt16BE(0) & 0x0fff) | 0x7000).toString(16)
  const b = ((hash.readUInt16BE(2) & 0x3fff) | 0x8000).toString(16)
  return `${time.slice(0, 8)}-${time.slice(8)}-${a}-${b}-${hash.toString("hex", 4, 10)}`
}
