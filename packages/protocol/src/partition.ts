/** Where an actor lives: a stable hash of its key, modulo the partition count fixed when the installation was created. */
import { fnv1a64 } from "@sluice/domain/hash"

export const defaultPartitionCount = 16

/** 0-based. FNV-1a mixes its last bytes weakly into the high half, so both halves are folded before the modulo. */
export const partitionOf = (key: string, partitionCount: number): number => {
  const { high, low } = fnv1a64(key)
  return ((high ^ low) >>> 0) % partitionCount
}
