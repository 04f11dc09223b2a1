// The entry is run as a copy inside a made-up checkout, with an npm of our own on the PATH that writes down its calls.
import { spawn } from "node:child_process"
import { once } from "node:events"
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { assert, describe, it } from "vitest"

const checkout = (npmAlso = "") => {
  const root = mkdtempSync(join(tmpdir(), "sluice-entry-"))
  mkdirSync(join(root, "packages/process"), { recursive: true })
  mkdirSync(join(root, "tools"))
  copyFileSync(join(import.meta.dirname, "../entry.mjs"), join(root, "packages/process/entry.mjs"))
  lock(root, "1")
  writeFileSync(
    join(root, "script.ts"),
    `const answer: string = process.argv.slice(2).join("+")\nconsole.log("ran", answer)\n`,
  )
  const npm = `#!/bin/sh
echo "npm $*" >> "${root}/calls"
rm -rf "${root}/node_modules"
mkdir -p "${root}/node_modules/.bin"
printf '#!/bin/sh\\nexec "${process.execPath}" "$@"\\n' > "${root}/node_modules/.bin/node"
chmod +x "${root}/node_modules/.bin/node"
echo 'console.log("tool", process.argv[2], process.execPath)' > "${root}/node_modules/.bin/tool"
${npmAlso}
`
  writeFileSync(join(root, "tools/npm"), npm, { mode: 0o755 })
  return root
}

const lock = (root: string, version: string) =>
  writeFileSync(
    join(root, "package-lock.json"),
    JSON.stringify({
      packages: {
        "": {},
        "node_modules/a": { version, integrity: "sha" },
        "node_modules/b": { version: "2", optional: true },
      },
    }),
  )

const begin = (root: string, ...args: ReadonlyArray<string>) =>
  spawn(process.execPath, ["packages/process/entry.mjs", ...args], {
    cwd: root,
    env: { ...process.env, PATH: [join(root, "tools"), process.env.PATH].join(delimiter) },
  })

const finished = async (child: ReturnType<typeof begin>) => {
  let stdout = ""
  let stderr = ""
  child.stdout.on("data", text => {
    stdout += text
  })
  child.stderr.on("data", text => {
    stderr += text
  })
  const [code, signal] = await once(child, "close")
  return { code, signal, stdout, stderr }
}

const calls = (root: string) =>
  existsSync(join(root, "calls")) ? readFileSync(join(root, "calls"), "utf8").trim().split("\n") : []

describe("the entry of the npm scripts", () => {
  it("installs in a fresh checkout, saying so, and then runs the script with its arguments", async () => {
    const root = checkout()
    const { code, stdout, stderr } = await finished(begin(root, "script.ts", "x", "y"))
    assert.deepStrictEqual([code, stdout], [0, "ran x+y\n"])
    assert.match(stderr, /installing packages[\s\S]*packages installed in \d+ s/)
    assert.deepStrictEqual(calls(root), ["npm ci --no-audit --no-fund --loglevel=error"])
  })

  it("does nothing but start while the lock file is unchanged, and installs again when it changed", async () => {
    const root = checkout()
    await finished(begin(root, "script.ts"))
    assert.strictEqual((await finished(begin(root, "script.ts"))).stderr, "")
    assert.strictEqual(calls(root).length, 1)
    lock(root, "1.1")
    assert.include((await finished(begin(root, "script.ts"))).stderr, "package-lock.json changed")
    assert.strictEqual(calls(root).length, 2)
    rmSync(join(root, "node_modules"), { recursive: true })
    await finished(begin(root, "script.ts"))
    assert.strictEqual(calls(root).length, 3)
  })

  it("accepts what somebody installed by hand if it is what the lock file pins", async () => {
    const root = checkout()
    const there = (version: string) => {
      mkdirSync(join(root, "node_modules"), { recursive: true })
      writeFileSync(
        join(root, "node_modules/.package-lock.json"),
        JSON.stringify({ packages: { "node_modules/a": { version, integrity: "sha" } } }),
      )
    }
    there("1")
    assert.strictEqual((await finished(begin(root, "script.ts", "x"))).stdout, "ran x\n")
    assert.deepStrictEqual(calls(root), [])
    lock(root, "1.1")
    await finished(begin(root, "script.ts"))
    assert.strictEqual(calls(root).length, 1)
  })

  it("installs once when two scripts start at the same moment", async () => {
    const root = checkout()
    const both = await Promise.all([finished(begin(root, "script.ts", "a")), finished(begin(root, "script.ts", "b"))])
    assert.deepStrictEqual(
      both.map(each => each.stdout),
      ["ran a\n", "ran b\n"],
    )
    assert.strictEqual(calls(root).length, 1)
  })

  it("takes over the lock of an installation that was killed", async () => {
    const root = checkout()
    const gone = spawn("true")
    await once(gone, "exit")
    mkdirSync(join(root, ".cache/install.lock"), { recursive: true })
    writeFileSync(join(root, ".cache/install.lock/pid"), String(gone.pid))
    assert.strictEqual((await finished(begin(root, "script.ts", "x"))).stdout, "ran x\n")
    assert.isFalse(existsSync(join(root, ".cache/install.lock")))
  })

  it("exits 1 with one sentence when the installation fails, and tries again the next time", async () => {
    const root = checkout("exit 7")
    const failed = await finished(begin(root, "script.ts"))
    assert.strictEqual(failed.code, 1)
    assert.match(failed.stderr, /The packages could not be installed: npm ci ended with exit code 7\.\n$/)
    await finished(begin(root, "script.ts"))
    assert.strictEqual(calls(root).length, 2)
  })

  it("takes anything that is no file from node_modules/.bin", async () => {
    const root = checkout()
    assert.match((await finished(begin(root, "tool", "run"))).stdout, /^tool run /)
    const missing = await finished(begin(root, "absent"))
    assert.deepStrictEqual([missing.code, missing.stderr], [1, "node_modules/.bin/absent does not exist.\n"])
  })

  it("passes SIGTERM on and exits with the script's own code", async () => {
    const root = checkout()
    writeFileSync(
      join(root, "stay.ts"),
      `process.on("SIGTERM", () => process.exit(42))\nsetInterval(() => {}, 1000)\nconsole.log("up")\n`,
    )
    const child = begin(root, "stay.ts")
    child.stdout.once("data", () => child.kill("SIGTERM"))
    assert.strictEqual((await finished(child)).code, 42)
  })
})
