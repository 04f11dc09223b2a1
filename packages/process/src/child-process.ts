// A process of ours as a child: a TypeScript file under the same Node, with the parent's environment and some variables of
// its own, its output in a file. It is stopped politely with the scope; killing it without giving it a chance is a verb,
// for whoever wants to show or test what happens then. Servers that are not ours are in server-process.ts.
import { type ChildProcess, spawn } from "node:child_process"
import { closeSync, openSync } from "node:fs"
import { basename } from "node:path"
import { Deferred, Effect, type Scope } from "effect"
import { processesStartedWith } from "./process-table.ts"
import { stopMillisecondsMax } from "./run.ts"

export interface ChildOptions {
  readonly file: string
  /** An argument that no other process has: what a parent killed with SIGKILL left running is found by it, and ended. */
  readonly mark: string
  /** Beside what this process has itself; undefined removes one. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly logFile: string
}

export interface OwnChild {
  /** SIGKILL, and its end. */
  readonly kill: Effect.Effect<void>
  /** Starts it again after its end. */
  readonly start: Effect.Effect<void>
  /** Completes when it ends without having been asked to; says how. */
  readonly diedUnasked: Effect.Effect<string>
}

/** Ends what an earlier parent left, starts the child, and keeps it until the scope closes. */
export const startChild = (options: ChildOptions): Effect.Effect<OwnChild, never, Scope.Scope> =>
  Effect.gen(function* () {
    yield* Effect.sync(() => endLeftOvers(options.mark))
    const died = yield* Deferred.make<string>()
    let current: Running | undefined
    const start = Effect.sync(() => {
      const running = spawnChild(options)
      current = running
      running.child.on("exit", (code, signal) => {
        if (current === running) Deferred.doneUnsafe(died, Effect.succeed(signal ?? `exit code ${code}`))
      })
      running.child.on("error", error => Deferred.doneUnsafe(died, Effect.succeed(error.message)))
    })
    const end = (signal: NodeJS.Signals, patience: number) =>
      Effect.suspend(() => {
        const running = current
        current = undefined
        if (running === undefined) return Effect.void
        running.child.kill(signal)
        return Effect.andThen(
          Effect.timeoutOption(Deferred.await(running.ended), patience),
          Effect.sync(() => running.child.kill("SIGKILL")), // Nothing happens to a process that has ended.
        )
      })
    yield* Effect.acquireRelease(start, () => end("SIGTERM", stopMillisecondsMax))
    return { kill: end("SIGKILL", killMillisecondsMax), start, diedUnasked: Deferred.await(died) }
  })

const killMillisecondsMax = 5_000 // a process in the middle of a disk write ends when the write has

interface Running {
  readonly child: ChildProcess
  readonly ended: Deferred.Deferred<void>
}

const endLeftOvers = (mark: string): void => {
  for (const pid of processesStartedWith(basename(process.execPath), mark)) {
    try {
      process.kill(pid, "SIGKILL")
    } catch {
      // It ended between looking and killing.
    }
  }
}

const spawnChild = (options: ChildOptions): Running => {
  const log = openSync(options.logFile, "a")
  try {
    const child = spawn(process.execPath, [options.file, options.mark], {
      env: { ...process.env, ...options.environment },
      stdio: ["ignore", log, log],
    })
    const ended = Deferred.makeUnsafe<void>()
    child.on("exit", () => Deferred.doneUnsafe(ended, Effect.void))
    child.on("error", () => Deferred.doneUnsafe(ended, Effect.void))
    return { child, ended }
  } finally {
    closeSync(log)
  }
}
