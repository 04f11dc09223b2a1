import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { lookAroundForNats, onPath } from "../src/look-around.ts"
import { obtainNats } from "../src/obtain-nats.ts"
import type { NatsSurroundings } from "../src/plan-nats.ts"

const folder = () => mkdtempSync(join(tmpdir(), "sluice-obtain-"))

/** A folder with programs that print a version, for a PATH of our own. */
const fakePath = (programs: Record<string, string>): string => {
  const directory = folder()
  for (const [name, says] of Object.entries(programs)) {
    writeFileSync(join(directory, name), `#!/bin/sh\n${says}\n`)
    chmodSync(join(directory, name), 0o755)
  }
  return directory
}

/** A release archive holding a program, served on a free port of 127.0.0.1. */
const servedArchive = Effect.gen(function* () {
  const directory = folder()
  mkdirSync(join(directory, "nats-server-v9"))
  writeFileSync(join(directory, "nats-server-v9/nats-server"), "#!/bin/sh\necho nats-server: v9.1.2\n", { mode: 0o755 })
  spawnSync("tar", ["-czf", "archive.tar.gz", "nats-server-v9"], { cwd: directory })
  const content = readFileSync(join(directory, "archive.tar.gz"))
  const server = createServer((request, response) => {
    response.writeHead(request.url === "/v9/nats-server-v9.tar.gz" ? 200 : 404).end(content)
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>(resume => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
    () => Effect.sync(() => server.close()),
  )
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  return { base: `http://127.0.0.1:${port}`, sha256: createHash("sha256").update(content).digest("hex") }
})

const seen = (base: string, sha256: string, cacheDirectory: string): NatsSurroundings => ({
  platform: "plan9",
  arch: "x64",
  natsUrl: undefined,
  natsOnPath: undefined,
  natsInCache: undefined,
  cacheDirectory,
  debianApt: false,
  brew: undefined,
  docker: undefined,
  releases: { version: "9", base, archives: { "plan9-x64": { file: "nats-server-v9", sha256 } } },
})

describe("a release archive", () => {
  it.live("with the pinned checksum is unpacked into the cache and can be run", () =>
    Effect.gen(function* () {
      const { base, sha256 } = yield* servedArchive
      const cache = join(folder(), "cache")
      const obtained = yield* obtainNats(seen(base, sha256, cache))
      assert.deepStrictEqual(obtained, { from: "program", program: join(cache, "nats-server") })
      assert.include(spawnSync(join(cache, "nats-server")).stdout.toString(), "9.1.2")
      assert.deepStrictEqual(readdirSync(cache), ["nats-server"])
    }),
  )

  it.live("with another checksum is not unpacked, and no other way is tried", () =>
    Effect.gen(function* () {
      const { base } = yield* servedArchive
      const cache = join(folder(), "cache")
      const error = yield* Effect.flip(obtainNats({ ...seen(base, "0".repeat(64), cache), docker: "/bin/docker" }))
      assert.strictEqual(error.reason, "wrongChecksum")
      assert.include(error.message, "so it was not unpacked")
      assert.isFalse(existsSync(cache))
    }),
  )

  it.live("that cannot be fetched leads to the next way, and without one to advice that names the failure", () =>
    Effect.gen(function* () {
      const { base, sha256 } = yield* servedArchive
      const missing = seen(`${base}/elsewhere`, sha256, folder())
      assert.deepInclude(yield* obtainNats({ ...missing, docker: "/bin/docker" }), { from: "docker" })
      const error = yield* Effect.flip(obtainNats(missing))
      assert.strictEqual(error.reason, "noneFound")
      assert.include(error.message, "fetching the release archive failed, 404")
    }),
  )
})

describe("looking around", () => {
  const nothingGiven = { natsUrl: undefined, databaseUrl: undefined }

  it.live("finds the first nats-server of the PATH and its version", () =>
    Effect.gen(function* () {
      const first = fakePath({ "nats-server": "echo nats-server: v2.14.3" })
      const second = fakePath({ "nats-server": "echo nats-server: v2.9.10" })
      const found = yield* lookAroundForNats(nothingGiven, { PATH: `/nowhere:${first}:${second}` }, folder())
      assert.deepStrictEqual(found.natsOnPath, { path: join(first, "nats-server"), version: "2.14.3" })
      assert.isUndefined(found.natsInCache)
    }),
  )

  it.live("counts Docker only when its daemon answers", () =>
    Effect.gen(function* () {
      const running = fakePath({ docker: "echo 28.0.1" })
      const stopped = fakePath({ docker: "exit 1" })
      assert.strictEqual(
        (yield* lookAroundForNats(nothingGiven, { PATH: running }, folder())).docker,
        join(running, "docker"),
      )
      assert.isUndefined((yield* lookAroundForNats(nothingGiven, { PATH: stopped }, folder())).docker)
    }),
  )

  it("passes over files of the PATH that cannot be executed", () => {
    const directory = folder()
    writeFileSync(join(directory, "brew"), "text", { mode: 0o644 })
    assert.isUndefined(onPath("brew", { PATH: directory }))
  })
})
