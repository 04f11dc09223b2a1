// Which port on 127.0.0.1 a server of this home uses: the one it had before if nobody took it meanwhile, so that what
// was configured with it (an agent, a psql in a terminal) still connects after a restart.
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { Effect } from "effect"

const portMax = 65_535 // TCP has 16 bits for it

/** The port kept in `file` if it is free, else a free one, which is then kept there. */
export const keptPort = Effect.fn("keptPort")(function* (file: string) {
  const kept = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0
  const port = (yield* freePort(kept)) ?? (yield* freePort(0))
  if (port === undefined) return yield* Effect.die(new Error("127.0.0.1 has no free port"))
  if (port !== kept) writeFileSync(file, String(port))
  return port
})

/** `wanted` itself if it can be bound now, any free port for 0, undefined if it is taken. */
const freePort = (wanted: number): Effect.Effect<number | undefined> =>
  Effect.callback<number | undefined>(resume => {
    const probe = createServer()
    probe.on("error", () => resume(Effect.undefined))
    probe.listen(Number.isInteger(wanted) && wanted >= 0 && wanted <= portMax ? wanted : 0, "127.0.0.1", () => {
      const address = probe.address()
      const port = typeof address === "object" && address !== null ? address.port : undefined
      probe.close(() => resume(Effect.succeed(port)))
    })
  })
