/**
 * How many calls one outside account (a GitHub installation, an Argo CD server) gets at the same time from this process,
 * across all jobs. Accounts are known by a key; one that nobody uses takes no memory. Waiting counts against the time limit
 * of the activity that waits.
 */
import { Effect, Semaphore } from "effect"

export interface Budget {
  /** Runs `effect` once the account has a permit free, first come first served. */
  readonly spend: (account: string) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Accounts with a call running or waiting. */
  readonly accounts: () => ReadonlyArray<string>
}

export const makeBudget = (callsPerAccountMax: number): Budget => {
  const entries = new Map<string, { readonly slots: Semaphore.Semaphore; users: number }>()
  const enter = (account: string) => {
    const entry = entries.get(account) ?? { slots: Semaphore.makeUnsafe(callsPerAccountMax), users: 0 }
    entry.users += 1
    entries.set(account, entry)
    return entry
  }
  const leave = (account: string) => {
    const entry = entries.get(account)
    if (entry === undefined) return
    entry.users -= 1
    if (entry.users === 0) entries.delete(account)
  }
  return {
    spend: account => effect =>
      Effect.acquireUseRelease(
        Effect.sync(() => enter(account)),
        entry => entry.slots.withPermit(effect),
        () => Effect.sync(() => leave(account)),
      ),
    accounts: () => [...entries.keys()],
  }
}
