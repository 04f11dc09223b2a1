/**
 * A port nobody listens on, for servers that have to be told theirs beforehand. Between the answer and its use another
 * process may take it; whoever can bind port 0 itself does that instead.
 */
import { createServer } from "node:net"
import { Effect } from "effect"

/** Free on 127.0.0.1 at the time of asking. */
export const freePort: Effect.Effect<number> = Effect.callback(resume => {
  const probe = createServer()
  probe.on("error", error => resume(Effect.die(error)))
  probe.listen(0, "127.0.0.1", () => {
    const address = probe.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    probe.close(() => resume(Effect.succeed(port)))
  })
})
