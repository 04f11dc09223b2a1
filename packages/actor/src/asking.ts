/** When a partition asks a source for what is missing: not at once, and not in a rush. Pure bookkeeping. */
import type { Gap } from "./inbox.ts"
import { channelOf } from "./partition-store.ts"

/** Messages of two commits overtake each other on their way; what is merely late comes within this. */
export const gapPatience = 100
/** The question or its answer may be lost, so it is asked again. */
const askEvery = 500

export class Asking {
  #open = new Map<string, { readonly from: number; readonly askAt: number }>()

  /** Whether something is missing, so that somebody has to look again soon. */
  get open(): boolean {
    return this.#open.size > 0
  }

  /** Of all gaps there are at `now` (ms), those to ask for at this moment. */
  due(gaps: ReadonlyArray<Gap>, now: number): ReadonlyArray<Gap> {
    const before = this.#open
    this.#open = new Map()
    return gaps.filter(({ source, from }) => {
      const channel = channelOf(source)
      const seen = before.get(channel)
      const known = seen?.from === from ? seen : { from, askAt: now + gapPatience }
      const ask = now >= known.askAt
      this.#open.set(channel, ask ? { from, askAt: now + askEvery } : known)
      return ask
    })
  }
}
