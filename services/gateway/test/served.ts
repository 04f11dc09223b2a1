/** One gateway per test file: started before its first test, stopped after its last. */
import { Effect, Exit, Scope } from "effect"
import { afterAll, beforeAll } from "vitest"
import { type Gateway, startGateway } from "./kit.ts"

export const served = (): (() => Gateway) => {
  let gateway: Gateway | undefined
  const scope = Scope.makeUnsafe()
  beforeAll(async () => {
    gateway = await Effect.runPromise(startGateway.pipe(Scope.provide(scope)))
  })
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  return () => {
    if (gateway === undefined) throw new Error("the gateway has not started")
    return gateway
  }
}
