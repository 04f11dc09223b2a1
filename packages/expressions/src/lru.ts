// A map that forgets what was used longest ago once it holds `entriesMax` entries. It only saves work: whatever it holds
// can be computed again, so forgetting never changes a result.

export class Lru<K, V> {
  readonly #entries = new Map<K, V>()
  readonly #entriesMax: number

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax
  }

  get size(): number {
    return this.#entries.size
  }

  /** The remembered value of `key`, or what `make` returns now. A throwing `make` leaves nothing behind. */
  getOrMake(key: K, make: () => V): V {
    const known = this.#entries.get(key)
    if (known !== undefined) {
      // Re-inserting moves the key to the young end: a Map iterates in insertion order.
      this.#entries.delete(key)
      this.#entries.set(key, known)
      return known
    }
    const made = make()
    this.#entries.set(key, made)
    if (this.#entries.size > this.#entriesMax) {
      const oldest = this.#entries.keys().next()
      if (!oldest.done) this.#entries.delete(oldest.value)
    }
    return made
  }
}
