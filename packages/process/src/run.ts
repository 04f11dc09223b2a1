// How a process of Sluice lives and ends: it runs one effect, SIGINT and SIGTERM interrupt it so that everything scoped
// is released, and what went wrong at start is one sentence on stderr. Causes are handled as a whole only here, where
// the process ends.
import { Cause, Effect, Exit, type Fiber, Predicate } from "effect"

/** A stop that takes longer has hung; whoever sent the signal (a person, systemd, a container runtime) will not wait longer. */
export const stopMillisecondsMax = 10_000

/**
 * Runs `main` to its end and exits: 0 when it succeeded or a signal stopped it in time, 1 with one sentence when it
 * failed, 1 with the whole cause when it had a defect, 1 when stopping took longer than `stopMillisecondsMax`.
 */
export const runMain = <A>(main: Effect.Effect<A, { readonly message: string }>, options: RunOptions = {}): void => {
  let stopping = false
  let fiber: Fiber.Fiber<A, { readonly message: string }> | undefined
  const stop = () => {
    // A terminal sends Ctrl-C to every process of the group and npm passes it on as well: the second one means nothing new.
    if (stopping) return
    stopping = true
    fiber?.interruptUnsafe()
    setTimeout(
      () => leave(1, `Stopping took longer than ${stopMillisecondsMax / 1_000} s, so it was cut short.`),
      stopMillisecondsMax,
    )
  }
  // Before anything runs: what the first step acquires must be released from then on.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop)
  // Whoever read what is printed is gone (`| head`): a stop like any other, not a crash that leaves children behind.
  process.stdout.on("error", stop)
  fiber = Effect.runFork(main)
  // A fiber that waits for something outside (a child process, a signal) does not keep Node alive by itself.
  setInterval(() => {}, 2 ** 31 - 1)
  fiber.addObserver(exit => {
    const ending = endingOf(exit, stopping)
    const unfinished = stopping && Exit.isFailure(exit) && options.stoppedIsFailure === true
    leave(unfinished ? 1 : ending.code, ending.sentence)
  })
}

export interface RunOptions {
  /** For a process that has something to finish: a signal that stops it before is exit code 1. */
  readonly stoppedIsFailure?: boolean
}

interface Ending {
  readonly code: number
  readonly sentence: string | undefined
}

/** What to exit with and what to say; `stopped` tells a signal's interruption from one that came from inside. */
export const endingOf = (exit: Exit.Exit<unknown, { readonly message: string }>, stopped: boolean): Ending => {
  if (Exit.isSuccess(exit)) return { code: 0, sentence: undefined }
  if (Cause.hasInterruptsOnly(exit.cause)) {
    return stopped ? { code: 0, sentence: undefined } : { code: 1, sentence: "It was interrupted from inside." }
  }
  const failed = Cause.squash(exit.cause)
  if (Cause.hasDies(exit.cause)) return { code: 1, sentence: busyPort(failed) ?? Cause.pretty(exit.cause) }
  return { code: 1, sentence: sentenceOf(failed) }
}

/** One sentence for an error of any kind: a port that is taken by its number, anything else by its message. */
export const sentenceOf = (error: unknown): string => {
  const taken = busyPort(error)
  if (taken !== undefined) return taken
  const message = Predicate.hasProperty(error, "message") ? String(error.message) : String(error)
  return message.split("\n")[0] ?? message
}

/** Node's EADDRINUSE lies one or two causes deep in what an HTTP server fails with. */
const busyPort = (error: unknown): string | undefined => {
  for (
    let each = error;
    Predicate.isObject(each);
    each = Predicate.hasProperty(each, "cause") ? each.cause : undefined
  ) {
    if (Predicate.hasProperty(each, "code") && each.code === "EADDRINUSE" && Predicate.hasProperty(each, "port")) {
      return `Port ${each.port} is in use by another process: stop that one, or set another port.`
    }
  }
  return undefined
}

const leave = (code: number, sentence: string | undefined): void => {
  if (sentence !== undefined) process.stderr.write(`${sentence}\n`)
  process.exit(code)
}
