/**
 * Services as processes of their own, as an operator starts them: the all-in-one, or one process for each service. Beside
 * servers that exist, on ports fixed for the whole life of the test, so that a process that was killed comes back under the
 * address its callers know. Knows nothing of what the services do.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { join } from "node:path"
import { Effect } from "effect"
import { freePort } from "./ports.ts"

const repository = join(import.meta.dirname, "../../..")

export const serviceNames = [
  "planner",
  "targets",
  "policy",
  "dispatcher",
  "verifier",
  "agent-bridges",
  "gateway",
] as const
export type ProcessName = (typeof serviceNames)[number] | "all"

/** A start does migrations, streams and leases; on a busy machine of two cores that takes its time. */
const readyMillisecondsMax = 45_000
/** A graceful stop takes at most ten seconds by its own rule. */
const stopMillisecondsMax = 12_000
const lookAgainMilliseconds = 50
const keptOutput = 20_000 // characters; enough for the warnings before a failure

export interface ServicesProcess {
  readonly name: ProcessName
  /** Of the HTTP interface, for the all-in-one and the gateway. */
  readonly port: number
  /** Starts it and waits until it says that it can do its work. */
  readonly start: (more?: Readonly<Record<string, string>>) => Promise<void>
  /** As `start`, without waiting. */
  readonly spawn: (more?: Readonly<Record<string, string>>) => void
  readonly ready: () => Promise<void>
  /** SIGKILL; returns when it is gone. */
  readonly kill: () => Promise<void>
  /** SIGTERM; answers the exit code. */
  readonly stop: () => Promise<number | null>
  /** Waits for its end; answers the signal or exit code. */
  readonly ended: () => Promise<string>
  readonly isRunning: () => boolean
  /** The end of what it wrote, for the report of a failure. */
  readonly output: () => string
}

/** Environment variables of every process: servers, keys. Nothing of the test's own environment is passed on. */
export const servicesProcess = async (
  name: ProcessName,
  environment: Readonly<Record<string, string>>,
): Promise<ServicesProcess> => {
  const entry = name === "all" ? "services/all/src/serve.ts" : `services/${name}/src/main.ts`
  const [port, opsPort] = [await Effect.runPromise(freePort), await Effect.runPromise(freePort)]
  let child: ChildProcess | undefined
  let written = ""
  const isRunning = () => child !== undefined && child.exitCode === null && child.signalCode === null

  const start = (more: Readonly<Record<string, string>> = {}): void => {
    if (isRunning()) throw new Error(`${name} runs already`)
    child = spawn(process.execPath, [join(repository, entry)], {
      cwd: repository,
      env: { ...environment, PORT: String(port), OPS_PORT: String(opsPort), ...more },
      stdio: ["ignore", "pipe", "pipe"],
    })
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        written = (written + text).slice(-keptOutput)
      })
    }
  }
  const ended = (): Promise<string> =>
    new Promise(resolve => {
      if (!isRunning()) return resolve(String(child?.signalCode ?? child?.exitCode ?? "never started"))
      child?.once("exit", (code, signal) => resolve(String(signal ?? code)))
    })
  const ready = async (): Promise<void> => {
    const giveUpAt = Date.now() + readyMillisecondsMax
    let seen = "nothing yet"
    while (Date.now() < giveUpAt) {
      if (!isRunning()) throw new Error(`${name} ended before it was ready:\n${written}`)
      seen = await answerOf(`http://127.0.0.1:${opsPort}/readyz`)
      if (seen === "ready") return
      await pause(lookAgainMilliseconds)
    }
    throw new Error(`waited ${readyMillisecondsMax} ms for ${name} to be ready; it said ${seen}\n${written}`)
  }
  return {
    name,
    port,
    isRunning,
    ended,
    ready,
    spawn: start,
    start: async more => {
      start(more)
      await ready()
    },
    kill: async () => {
      child?.kill("SIGKILL")
      await ended()
    },
    stop: async () => {
      child?.kill("SIGTERM")
      const late = setTimeout(() => child?.kill("SIGKILL"), stopMillisecondsMax)
      await ended()
      clearTimeout(late)
      return child?.exitCode ?? null
    },
    output: () => written,
  }
}

const answerOf = async (url: string): Promise<string> => {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) })
    return response.ok ? "ready" : await response.text()
  } catch (error) {
    return String(error) // nobody listens yet
  }
}

const pause = (milliseconds: number): Promise<void> => new Promise(resolve => setTimeout(resolve, milliseconds))
