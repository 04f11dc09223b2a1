/** Who calls: `X-API-Key: <16 hex>.<64 hex>`. The prefix finds the row, the secret is compared by its SHA-256. */
import { createHash, timingSafeEqual } from "node:crypto"
import { Storage, type StorageError } from "@sluice/actor/ports"
import { type ApiError, apiError } from "@sluice/api/error"
import type { UserId } from "@sluice/domain/ids"
import { findKey } from "@sluice/store/users"
import { Effect } from "effect"

export const secretHash = (secret: string): string => createHash("sha256").update(secret).digest("hex")

/** Split at the first dot; `undefined` when a half is missing. */
export const splitKey = (key: string): { readonly prefix: string; readonly secret: string } | undefined => {
  const dot = key.indexOf(".")
  const [prefix, secret] = [key.slice(0, Math.max(dot, 0)), key.slice(dot + 1)]
  return dot === -1 || prefix === "" || secret === "" ? undefined : { prefix, secret }
}

export const authenticate = Effect.fnUntraced(function* (
  key: string,
): Effect.fn.Return<UserId, ApiError | StorageError, Storage> {
  const refusal = apiError("UNAUTHORIZED", "the API key is not valid")
  const split = splitKey(key)
  if (split === undefined || split.prefix.includes("\0")) return yield* refusal
  const storage = yield* Storage
  const row = yield* storage.transaction("read committed", tx => findKey(tx, split.prefix))
  if (row === undefined) return yield* refusal
  const given = Buffer.from(secretHash(split.secret))
  const stored = Buffer.from(row.secretHash)
  if (given.length !== stored.length || !timingSafeEqual(given, stored)) return yield* refusal
  return row.userId
})
