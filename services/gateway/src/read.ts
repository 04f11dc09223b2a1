/** Reads of one request: all statements see the same moment. */
import { Storage, type StorageError, type Tx } from "@sluice/actor/ports"
import type { Page } from "@sluice/api/common"
import type { Listing, Window } from "@sluice/store/listing"
import { Effect } from "effect"

export const read = <A, E>(work: (tx: Tx) => Effect.Effect<A, E>): Effect.Effect<A, E | StorageError, Storage> =>
  Effect.flatMap(Storage, storage => storage.transaction("repeatable read", work))

export const pageOf = <Row, Item>(listing: Listing<Row>, window: Window, render: (row: Row) => Item): Page<Item> => ({
  items: listing.items.map(render),
  total: listing.total,
  ...window,
})

/** The window of a list that was filtered in memory. */
export const windowOf = <Row>(rows: ReadonlyArray<Row>, window: Window): Listing<Row> => ({
  items: rows.slice(window.offset, window.offset + window.limit),
  total: rows.length,
})
