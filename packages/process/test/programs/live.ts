// A process under runMain for run.test.ts: argument 1 says how it is to end.
import { createServer } from "node:net"
import { Effect } from "effect"
import { HomeError } from "../../src/home.ts"
import { runMain } from "../../src/run.ts"

const say = (text: string) => Effect.sync(() => process.stdout.write(`${text}\n`))
const untilStopped = Effect.acquireRelease(say("started"), () => say("released")).pipe(
  Effect.andThen(Effect.never),
  Effect.scoped,
)
const listenTwice = Effect.callback<never, { readonly message: string }>(resume => {
  const first = createServer().listen(0, "127.0.0.1", () => {
    const second = createServer().on("error", cause => resume(Effect.fail({ message: "Failed to listen", cause })))
    second.listen(first.address())
  })
})

const ways: Record<string, Effect.Effect<void, { readonly message: string }>> = {
  succeed: Effect.void,
  fail: new HomeError({ reason: "inUse", directory: "/x", message: "The home is in use." }).pipe(Effect.asVoid),
  die: Effect.die(new Error("an invariant broke")),
  busy: listenTwice,
  stay: untilStopped,
  interrupt: Effect.interrupt,
}

runMain(ways[process.argv[2] ?? ""] ?? Effect.die(new Error("unknown way")))
