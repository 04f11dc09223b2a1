import { describe, expect, it } from "@effect/vitest"
import { makeBudget } from "@sluice/activity/budget"
import { Deferred, Effect, Fiber } from "effect"

describe("a budget of two calls per account", () => {
  it.effect("lets a third call wait for one of the same account, and another account's go on", () =>
    Effect.gen(function* () {
      const budget = makeBudget(2)
      const gate = yield* Deferred.make<void>()
      const started: Array<string> = []
      const call = (account: string, name: string) =>
        budget.spend(account)(
          Effect.andThen(
            Effect.sync(() => started.push(name)),
            Deferred.await(gate),
          ),
        )
      const calls = yield* Effect.forEach(
        [call("github", "a"), call("github", "b"), call("github", "c"), call("argo", "d")],
        each => Effect.forkChild(each, { startImmediately: true }),
      )
      expect(started).toEqual(["a", "b", "d"])
      yield* Deferred.succeed(gate, undefined)
      yield* Effect.forEach(calls, Fiber.join)
      expect(started).toEqual(["a", "b", "d", "c"])
    }),
  )

  it.effect("forgets an account whose last call is over, interrupted or not", () =>
    Effect.gen(function* () {
      const budget = makeBudget(1)
      const stuck = yield* Effect.forkChild(budget.spend("github")(Effect.never), { startImmediately: true })
      const waiting = yield* Effect.forkChild(budget.spend("github")(Effect.void), { startImmediately: true })
      expect(budget.accounts()).toEqual(["github"])
      yield* Fiber.interrupt(stuck)
      yield* Fiber.join(waiting)
      expect(budget.accounts()).toEqual([])
    }),
  )
})
