import { assert, describe, it } from "@effect/vitest"
import releases from "../src/nats-releases.json" with { type: "json" }
import { type NatsSurroundings, natsAdvice, planNats } from "../src/plan-nats.ts"

const bare: NatsSurroundings = {
  platform: "linux",
  arch: "x64",
  natsUrl: undefined,
  natsOnPath: undefined,
  natsInCache: undefined,
  cacheDirectory: "/cache",
  debianApt: false,
  brew: undefined,
  docker: undefined,
  releases: { version: "2.15.0", base: "https://releases", archives: {} },
}
const ways = (seen: Partial<NatsSurroundings>) => planNats({ ...bare, ...seen }).map(each => each.way)

describe("the way to a NATS server", () => {
  it("is the given address, whatever else is there", () => {
    assert.deepStrictEqual(
      planNats({
        ...bare,
        natsUrl: "nats://h",
        natsOnPath: { path: "/bin/nats-server", version: "2.15.1" },
        debianApt: true,
      }),
      [{ way: "given", url: "nats://h" }],
    )
  })

  it("is the program on the PATH from 2.12 on, and nothing needs to be fetched", () => {
    const natsOnPath = { path: "/bin/nats-server", version: "2.12.0" }
    assert.deepStrictEqual(planNats({ ...bare, natsOnPath, debianApt: true, docker: "/bin/docker" }), [
      { way: "run", program: "/bin/nats-server" },
    ])
  })

  it.each(["2.9.10", "2.11.8", "1.4.1", undefined])("is not the program on the PATH when that is %s", version => {
    assert.deepStrictEqual(ways({ natsOnPath: { path: "/bin/nats-server", version } }), [])
  })

  it("is the copy fetched before when the one on the PATH is too old", () => {
    const seen = {
      natsOnPath: { path: "/bin/a", version: "2.9.10" },
      natsInCache: { path: "/cache/b", version: "2.15.1" },
    }
    assert.deepStrictEqual(planNats({ ...bare, ...seen }), [{ way: "run", program: "/cache/b" }])
  })

  it("on Debian is apt first, then the release archive, then Docker", () => {
    assert.deepStrictEqual(ways({ debianApt: true, docker: "/bin/docker", releases }), ["apt", "archive", "docker"])
  })

  it("on macOS is Homebrew first, and never apt", () => {
    const seen = { platform: "darwin", arch: "arm64", brew: "/opt/homebrew/bin/brew", debianApt: true, releases }
    assert.deepStrictEqual(ways(seen), ["brew", "archive"])
  })

  it("leaves the archive out where no checksum is pinned for the system", () => {
    assert.deepStrictEqual(ways({ platform: "freebsd", docker: "/bin/docker", releases }), ["docker"])
  })

  it("names the archive of the system together with its pinned checksum", () => {
    const [way] = planNats({ ...bare, arch: "arm64", releases })
    assert.deepInclude(way, {
      url: `${releases.base}/v2.15.0/nats-server-v2.15.0-linux-arm64.tar.gz`,
      sha256: releases.archives["linux-arm64"].sha256,
      member: "nats-server-v2.15.0-linux-arm64/nats-server",
      into: "/cache",
    })
  })
})

describe("the table of releases", () => {
  it("pins a SHA-256 for archives of its own version and nothing else", () => {
    for (const { file, sha256 } of Object.values(releases.archives)) {
      assert.match(sha256, /^[0-9a-f]{64}$/)
      assert.isTrue(file.startsWith(`nats-server-v${releases.version}-`))
    }
  })
})

describe("the advice when no way is left", () => {
  it("says what to install, in one sentence", () => {
    assert.strictEqual(
      natsAdvice(bare, []),
      "There is no nats-server on this machine: put nats-server on the PATH, start Docker, or set NATS_URL to a running NATS with JetStream.",
    )
  })

  it("names the version that is too old and what was tried", () => {
    const seen = { ...bare, platform: "darwin", natsOnPath: { path: "/bin/nats-server", version: "2.9.10" } }
    const advice = natsAdvice(seen, ["installing it with Homebrew failed, no network"])
    assert.include(advice, "/bin/nats-server is 2.9.10, and Sluice needs 2.12 or newer")
    assert.include(advice, "tried: installing it with Homebrew failed, no network")
    assert.include(advice, "brew install nats-server")
  })
})
