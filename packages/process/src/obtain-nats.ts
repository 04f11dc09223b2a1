// Trying the ways of a NATS plan, one after the other, until one yields a server that can be run. Fetching is the only
// thing here that needs a network, and only the first start on a machine comes to it.
import { createHash } from "node:crypto"
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { Effect } from "effect"
import { type NatsSurroundings, type NatsWay, natsAdvice, planNats } from "./plan-nats.ts"
import { runCommand } from "./run-command.ts"
import { ServersError } from "./servers-error.ts"

export type ObtainedNats =
  | { readonly from: "given"; readonly url: string }
  | { readonly from: "program"; readonly program: string }
  | { readonly from: "docker"; readonly docker: string; readonly image: string }

const fetchWithin = { timeoutMilliseconds: 300_000 } // 17 MB over a slow line
const aptScript = resolve(import.meta.dirname, "../scripts/fetch-nats-apt.sh")

/** Yields a server or fails with the advice what to install, naming what was tried. A wrong checksum ends the search at once. */
export const obtainNats = Effect.fn("obtainNats")(function* (seen: NatsSurroundings) {
  const failures: Array<string> = []
  for (const way of planNats(seen)) {
    const outcome = yield* tryWay(way).pipe(
      Effect.catchIf(
        error => error.reason === "fetchFailed",
        error => Effect.succeed({ from: "nowhere" as const, why: error.message }),
      ),
    )
    if (outcome.from !== "nowhere") return outcome
    yield* Effect.logWarning(`nats-server: ${outcome.why}`)
    failures.push(outcome.why)
  }
  return yield* new ServersError({ reason: "noneFound", server: "nats", message: natsAdvice(seen, failures) })
})

const tryWay = (way: NatsWay): Effect.Effect<ObtainedNats, ServersError> => {
  switch (way.way) {
    case "given":
      return Effect.succeed({ from: "given", url: way.url })
    case "run":
      return Effect.succeed({ from: "program", program: way.program })
    case "docker":
      return Effect.succeed({ from: "docker", docker: way.docker, image: way.image })
    case "apt":
      return fetchWithApt(way.into)
    case "brew":
      return fetchWithBrew(way.brew)
    case "archive":
      return fetchArchive(way)
  }
}

const fetchWithApt = Effect.fn("fetchWithApt")(function* (into: string) {
  yield* Effect.logInfo("nats-server: fetching it from Debian, a few seconds, once per checkout")
  mkdirSync(into, { recursive: true })
  const ran = yield* runCommand("bash", [aptScript, into], fetchWithin)
  if (ran.code !== 0) return yield* fetchFailed("fetching it with apt", ran.stderr)
  const obtained: ObtainedNats = { from: "program", program: join(into, "nats-server") }
  return obtained
})

const fetchWithBrew = Effect.fn("fetchWithBrew")(function* (brew: string) {
  yield* Effect.logInfo("nats-server: installing it with Homebrew, once per machine")
  const ran = yield* runCommand(brew, ["install", "nats-server"], fetchWithin)
  if (ran.code !== 0) return yield* fetchFailed("installing it with Homebrew", ran.stderr)
  const obtained: ObtainedNats = { from: "program", program: join(dirname(brew), "nats-server") }
  return obtained
})

/** Downloads, compares the sum, and only then unpacks. Fails with `wrongChecksum` when the content is not what was pinned. */
export const fetchArchive = Effect.fn("fetchArchive")(function* (way: NatsWay & { readonly way: "archive" }) {
  yield* Effect.logInfo("nats-server: fetching the release archive, once per checkout")
  const content = yield* Effect.tryPromise({
    try: async signal => {
      const response = await fetch(way.url, { signal })
      if (!response.ok) throw new Error(`${response.status} ${response.statusText}`)
      return Buffer.from(await response.arrayBuffer())
    },
    catch: cause => fetchFailed("fetching the release archive", cause instanceof Error ? cause.message : String(cause)),
  })
  const sum = createHash("sha256").update(content).digest("hex")
  if (sum !== way.sha256) {
    return yield* new ServersError({
      reason: "wrongChecksum",
      server: "nats",
      message: `The archive at ${way.url} has the SHA-256 ${sum} where ${way.sha256} is pinned, so it was not unpacked.`,
    })
  }
  mkdirSync(way.into, { recursive: true })
  const folder = mkdtempSync(join(way.into, "archive-"))
  const archive = join(folder, "archive.tar.gz")
  writeFileSync(archive, content)
  const ran = yield* runCommand("tar", ["-xzf", archive, "-C", folder, way.member], fetchWithin)
  if (ran.code === 0) {
    // A rename within one folder: another start sees the whole program or none.
    copyFileSync(join(folder, way.member), join(folder, "nats-server.new"))
    renameSync(join(folder, "nats-server.new"), join(way.into, "nats-server"))
  }
  rmSync(folder, { recursive: true, force: true })
  if (ran.code !== 0) return yield* fetchFailed("unpacking the release archive", ran.stderr)
  const obtained: ObtainedNats = { from: "program", program: join(way.into, "nats-server") }
  return obtained
})

const fetchFailed = (what: string, said: string) =>
  new ServersError({
    reason: "fetchFailed",
    server: "nats",
    message: `${what} failed, ${said.trim().split("\n").at(-1) || "without saying why"}`,
  })
