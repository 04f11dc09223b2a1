/**
 * What every service stands on: the database, the broker, the runtime's store, relay and door. One flat list; a service's
 * `main.ts` adds its actors and activities to it.
 */
import { doorLayer } from "@sluice/actor/door-live"
import { RelayService } from "@sluice/actor/relay"
import type { BusOptions } from "@sluice/bus/bus"
import { BusAdmin, layer as busLayer } from "@sluice/bus/bus"
import { Database, type DatabaseOptions } from "@sluice/store/database"
import { ensureInstallation } from "@sluice/store/installation"
import { partitionStoreLayer } from "@sluice/store/partition-store"
import { storageLayer } from "@sluice/store/storage"
import { Effect, Layer } from "effect"
import { topology } from "../../../nats/topology.ts"

export interface PlatformOptions {
  readonly database: DatabaseOptions
  readonly bus: BusOptions
  /** Counts for a new installation only. */
  readonly partitions: number
}

/** Migrations have run before. Fails with one sentence when a server is away, too old or refuses the login. */
export const platformLayer = (options: PlatformOptions) => {
  const stores = Layer.unwrap(Effect.map(ensureInstallation(options.partitions), partitionStoreLayer)).pipe(
    Layer.provideMerge(storageLayer),
    Layer.provideMerge(Database.layer(options.database)),
  )
  const streams = Layer.effectDiscard(
    Effect.flatMap(BusAdmin, admin => admin.apply(topology({ namespace: options.bus.namespace }))),
  )
  return doorLayer.pipe(
    Layer.provideMerge(RelayService.layer),
    Layer.provideMerge(streams),
    Layer.provideMerge(Layer.mergeAll(stores, busLayer(options.bus))),
  )
}
