// The entry of every npm script, for the Node that a machine happens to have (20 or newer) and a checkout that may have
// no node_modules yet, so it depends on nothing. It installs what the lock file pins when that changed, then goes on
// under the Node that npm brought along. Usage: node entry.mjs <file.ts | program of node_modules/.bin> [arguments].
// With an unchanged lock file it needs no network and does nothing but start.
import { spawn, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { constants } from "node:os"
import { delimiter, join, resolve } from "node:path"

const root = resolve(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "../..")
const modules = join(root, "node_modules")
const bin = join(modules, ".bin")
const marker = join(modules, ".sluice-lock")
const lockDirectory = join(root, ".cache", "install.lock")
const leastNode = [22, 19] // what Effect 4 asks for
const writeHolderMillisecondsMax = 5_000
const sayStillAtWorkMilliseconds = 10_000

const [target, ...args] = process.argv.slice(2)
if (target === undefined) fail("Usage: node packages/process/entry.mjs <file.ts | program> [arguments]")
await install()
run(nodeToUse(), target, args)

async function install() {
  const wanted = wantedInstallation()
  if (installed() === wanted) return
  await whileLocked(async () => {
    // Another script may have installed while this one waited for the lock.
    if (installed() === wanted) return
    if (!installedByHand()) await npmCi()
    writeFileSync(marker, wanted)
  })
}

function wantedInstallation() {
  const lock = readFileSync(join(root, "package-lock.json"))
  return createHash("sha256").update(lock).update(`${process.platform} ${process.arch}`).digest("hex")
}

function installed() {
  return existsSync(marker) ? readFileSync(marker, "utf8") : undefined
}

/** Whether somebody's own `npm ci` already left exactly what the lock file pins: npm writes what it did into a lock file of its own. */
function installedByHand() {
  const done = join(modules, ".package-lock.json")
  if (!existsSync(done)) return false
  const there = JSON.parse(readFileSync(done, "utf8")).packages ?? {}
  const pinned = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages ?? {}
  return Object.entries(pinned).every(([path, { version, integrity, optional }]) => {
    if (!path.startsWith("node_modules/")) return true
    const found = there[path]
    if (found === undefined) return optional === true
    return found.version === version && found.integrity === integrity
  })
}

async function npmCi() {
  const started = Date.now()
  say(
    existsSync(modules)
      ? "package-lock.json changed, installing packages"
      : "installing packages, about a minute, once",
  )
  const still = setInterval(
    () => say(`still installing, ${Math.round((Date.now() - started) / 1000)} s`),
    sayStillAtWorkMilliseconds,
  )
  // Under an npm script `npm` would run on the Node inside node_modules, which it is about to remove.
  const path = (process.env.PATH ?? "").split(delimiter).filter(each => !each.endsWith(join("node_modules", ".bin")))
  // At loglevel "error" npm is silent about packages that want a newer Node than npm itself runs on: they get one.
  const npm = spawn("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, PATH: path.join(delimiter) },
  })
  const problem = await new Promise(done => {
    npm.on("error", error => done(error.message))
    npm.on("exit", (code, signal) => done(code === 0 ? undefined : (signal ?? `exit code ${code}`)))
  })
  clearInterval(still)
  if (problem !== undefined) fail(`The packages could not be installed: npm ci ended with ${problem}.`)
  say(`packages installed in ${Math.round((Date.now() - started) / 1000)} s`)
}

/** Runs `work` while no other script installs. A holder that was killed is recognised by its process being gone. */
async function whileLocked(work) {
  mkdirSync(join(root, ".cache"), { recursive: true })
  const holder = join(lockDirectory, "pid")
  let waiting = false
  while (!taken()) {
    if (isAbandoned(holder)) rmSync(lockDirectory, { recursive: true, force: true })
    else {
      if (!waiting) say("waiting for another script that is installing packages")
      waiting = true
      await new Promise(done => setTimeout(done, 200))
    }
  }
  const release = () => rmSync(lockDirectory, { recursive: true, force: true })
  process.once("exit", release)
  await work()
  release()
  process.removeListener("exit", release)

  function taken() {
    try {
      mkdirSync(lockDirectory)
    } catch (error) {
      if (error.code === "EEXIST") return false
      throw error
    }
    writeFileSync(holder, String(process.pid))
    return true
  }
}

/** A holder writes its id right after taking the lock; one that was killed in between never will. */
function isAbandoned(holder) {
  const pid = existsSync(holder) ? Number(readFileSync(holder, "utf8")) : 0
  if (pid !== 0) return !isAlive(pid)
  const taken = statSync(lockDirectory, { throwIfNoEntry: false })
  return taken !== undefined && Date.now() - taken.mtimeMs > writeHolderMillisecondsMax
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === "EPERM"
  }
}

/** The Node that npm brought for this platform, else the one that runs this file if it is new enough. */
function nodeToUse() {
  const brought = join(bin, "node")
  if (existsSync(brought) && spawnSync(brought, ["--version"]).status === 0) return brought
  const [major, minor] = process.versions.node.split(".").map(Number)
  if (major > leastNode[0] || (major === leastNode[0] && minor >= leastNode[1])) return process.execPath
  return fail(
    `Sluice needs Node ${leastNode.join(".")} or newer, this is ${process.version}, and npm brings none for ${process.platform} ${process.arch}: install a newer Node.`,
  )
}

function run(node, what, rest) {
  const isFile = /\.[cm]?[jt]s$/.test(what)
  const file = isFile ? what : join(bin, what)
  if (!existsSync(file)) fail(`${isFile ? file : `node_modules/.bin/${what}`} does not exist.`)
  const child = spawn(node, [file, ...rest], {
    stdio: "inherit",
    env: { ...process.env, PATH: [bin, process.env.PATH ?? ""].join(delimiter) },
  })
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal))
  child.on("error", error => fail(`${node} could not be started: ${error.message}.`))
  child.on("exit", (code, signal) => process.exit(signal === null ? code : 128 + constants.signals[signal]))
}

function say(text) {
  process.stderr.write(`sluice: ${text}\n`)
}

function fail(sentence) {
  process.stderr.write(`${sentence}\n`)
  process.exit(1)
}
