/**
 * What can travel at all: size and address of an effect, checked before anything of its input is carried out. What passes
 * here is stored by Postgres and published by the broker; what would not is its sender's fault, never its reader's.
 */
import type { ActorEffect } from "./definition.ts"

/** A body or payload larger than this is the message's own fault. The broker's own limit is 1 MiB by default. */
export const payloadBytesMax = 900_000 // leaves room for the envelope around it
/** Subjects carry the key; the broker takes lines of 4 KiB, and an index of Postgres rows of 2.7 kB. */
export const keyBytesMax = 512

export class TooLarge extends Error {
  constructor(what: string, bytes: number) {
    super(`${what} is ${bytes} bytes long; at most ${payloadBytesMax} travel in one message`)
  }
}

/** A key that is no part of a subject could never be published, and would hold up everything behind it for ever. */
export class NotAddressable extends Error {}

/** Throws `TooLarge` or `NotAddressable` for an effect that could never be sent. */
export const checkSendable = (effect: ActorEffect): void => {
  switch (effect._tag) {
    case "Send":
      checkAddress(effect.workspaceId, effect.key)
      return checkSize(`message ${effect.kind}.${effect.type} to ${effect.key}`, effect.body)
    case "Activity":
      checkKey(effect.key)
      return checkSize(`work for ${effect.name}`, effect.payload)
    case "Publish":
      return checkSize(`event ${effect.event.type}`, effect.event.data)
  }
}

const checkSize = (what: string, value: unknown): void => {
  const bytes = value === undefined ? 0 : Buffer.byteLength(JSON.stringify(value))
  if (bytes > payloadBytesMax) throw new TooLarge(what, bytes)
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
// Tokens between dots, none of them empty, without the broker's wildcards and without what ends a protocol line.
const subjectTokens = /^[^\s.*>\p{Cc}]+(\.[^\s.*>\p{Cc}]+)*$/u

const checkAddress = (workspaceId: string, key: string): void => {
  if (!uuid.test(workspaceId)) throw new NotAddressable(`"${workspaceId.slice(0, 50)}" is no id of a workspace`)
  checkKey(key)
}

const checkKey = (key: string): void => {
  if (subjectTokens.test(key) && Buffer.byteLength(key) <= keyBytesMax) return
  throw new NotAddressable(`"${key.slice(0, 50)}" cannot be the key of a message`)
}
