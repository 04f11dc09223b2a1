// One server that runs as a child process: started until it answers, started again when it dies unasked, stopped
// politely first and with force in the end. It knows neither NATS nor Postgres; they bring the command, the question
// "are you ready" and the signals that end them.
import { type ChildProcess, spawn } from "node:child_process"
import { closeSync, existsSync, openSync, readFileSync, renameSync, statSync } from "node:fs"
import { basename } from "node:path"
import { Deferred, Effect, Schedule, Semaphore } from "effect"
import { identityOf, processesStartedWith } from "./process-table.ts"
import { ServersError } from "./servers-error.ts"

export interface ServerCommand {
  readonly server: "nats" | "postgres"
  readonly program: string
  readonly args: ReadonlyArray<string>
  /** Exactly one of `args`; no process but this server of this home has it. It is how a left-over one is recognised. */
  readonly mark: string
  readonly cwd: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly uid?: number | undefined
  readonly gid?: number | undefined
  readonly logFile: string
  /** Signals to end it with, each with the time it is given; SIGKILL follows by itself. */
  readonly endings: ReadonlyArray<Ending>
}

export interface Ending {
  readonly signal: NodeJS.Signals
  readonly milliseconds: number
}

/** A running server, in the hands of whoever holds its scope. */
export interface ManagedServer {
  readonly port: number
  /** Undefined while it is down. */
  readonly pid: Effect.Effect<number | undefined>
  /** Ends it; it stays down until `start`. Part of fault tests: the scope's end stops it anyway. */
  readonly stop: Effect.Effect<void>
  /** Ends it with SIGKILL, without giving it a chance; it stays down until `start`. */
  readonly kill: Effect.Effect<void>
  readonly start: Effect.Effect<void, ServersError>
}

export interface ManageOptions {
  readonly command: ServerCommand
  readonly port: number
  readonly ready: Effect.Effect<boolean>
  /** Whether a death nobody asked for is followed by a new start. */
  readonly restarts: boolean
}

const readyMillisecondsMax = 60_000 // a database that was killed under load replays its log first
const askAgainMilliseconds = 20
const startAgainMilliseconds = 250
const startAttemptsMax = 20 // 5 s: a killed predecessor's port and shared memory are free by then
const killMillisecondsMax = 2_000
const logBytesMax = 10 * 1024 * 1024 // one older file is kept beside it

interface Running {
  readonly child: ChildProcess
  readonly ended: Deferred.Deferred<string>
  readonly logOffset: number
}

/** Starts the server and keeps it until the scope closes. */
export const manageServer = Effect.fn("manageServer")(function* (options: ManageOptions) {
  const { command, port, restarts } = options
  const scope = yield* Effect.scope
  const oneAtATime = yield* Semaphore.make(1)
  let running: Running | undefined
  let wanted = false

  const down = (endings: ReadonlyArray<Ending>) =>
    Effect.suspend(() => {
      wanted = false
      const current = running
      running = undefined
      return current === undefined ? Effect.void : endChild(current, endings)
    }).pipe(Effect.uninterruptible)

  // Only the waiting inside can be interrupted: between spawning and noting it, a child would be nobody's.
  const up: Effect.Effect<void, ServersError> = Effect.gen(function* () {
    wanted = true
    if (running !== undefined) return
    const started = yield* startUntilReady(options)
    running = started
    yield* watch(started).pipe(Effect.interruptible, Effect.forkIn(scope))
  }).pipe(Effect.uninterruptible)

  const watch = (started: Running): Effect.Effect<void> =>
    Effect.gen(function* () {
      const how = yield* Deferred.await(started.ended)
      if (running === started) running = undefined
      if (!wanted) return
      yield* Effect.logError(`${command.server} ended unasked (${how})${restarts ? ", starting it again" : ""}`)
      if (!restarts) return
      yield* oneAtATime.withPermit(Effect.suspend(() => (wanted ? up : Effect.void))).pipe(
        Effect.tapError(error => Effect.logError(error.message)),
        Effect.retry(Schedule.spaced(startAgainMilliseconds)),
      )
    }).pipe(Effect.ignore) // Never reached: the retry has no end of its own.

  yield* Effect.addFinalizer(() => oneAtATime.withPermit(down(command.endings)))
  yield* oneAtATime.withPermit(up)
  const managed: ManagedServer = {
    port,
    pid: Effect.sync(() => running?.child.pid),
    stop: oneAtATime.withPermit(down(command.endings)),
    kill: oneAtATime.withPermit(down([])),
    start: oneAtATime.withPermit(up),
  }
  return managed
})

/** Ends what an earlier, killed owner of this home left running, so that there are never two servers on one directory. */
export const endLeftOvers = Effect.fn("endLeftOvers")(function* (
  command: Pick<ServerCommand, "server" | "program" | "mark" | "endings">,
) {
  for (const pid of processesStartedWith(basename(command.program), command.mark)) {
    yield* Effect.logWarning(`${command.server}: stopping process ${pid}, left over from a start that was killed`)
    const identity = identityOf(pid)
    const gone = Effect.sync(() => identityOf(pid) !== identity)
    for (const ending of [...command.endings, { signal: "SIGKILL", milliseconds: killMillisecondsMax } as const]) {
      if (yield* gone) break
      yield* Effect.try({ try: () => process.kill(pid, ending.signal), catch: () => pid }).pipe(
        Effect.ignore, // Gone meanwhile, or not ours to signal: what it is shows below.
      )
      yield* untilTrue(gone, ending.milliseconds)
    }
    if (!(yield* gone)) {
      return yield* new ServersError({
        reason: "leftOver",
        server: command.server,
        message: `Process ${pid} still runs on this SLUICE_HOME's ${command.server} directory and could not be stopped: stop it first.`,
      })
    }
  }
})

const startUntilReady = Effect.fnUntraced(function* (options: ManageOptions) {
  for (let attempt = 1; ; attempt++) {
    const started = yield* spawnServer(options.command)
    const outcome = yield* Effect.raceFirst(
      untilTrue(options.ready, readyMillisecondsMax).pipe(Effect.map(ready => (ready ? "ready" : "not ready in time"))),
      Deferred.await(started.ended),
    ).pipe(
      Effect.interruptible,
      Effect.onInterrupt(() => endChild(started, options.command.endings)),
    )
    if (outcome === "ready") return started
    yield* endChild(started, options.command.endings)
    const said = newLogText(options.command.logFile, started.logOffset)
    const passing = /address already in use|still in use|lock file .* already exists/i.test(said)
    if (!passing || attempt >= startAttemptsMax) return yield* didNotStart(options.command, outcome, said)
    yield* Effect.interruptible(Effect.sleep(startAgainMilliseconds))
  }
})

const spawnServer = (command: ServerCommand): Effect.Effect<Running, ServersError> =>
  Effect.try({
    try: () => {
      keepLogSmall(command.logFile)
      const log = openSync(command.logFile, "a", 0o600)
      const logOffset = statSync(command.logFile).size
      const child = spawn(command.program, command.args, {
        cwd: command.cwd,
        env: command.env ?? process.env,
        stdio: ["ignore", log, log],
        // A session of its own: Ctrl-C in a terminal goes to Sluice alone, which stops its servers last.
        detached: true,
        ...(command.uid === undefined ? {} : { uid: command.uid, gid: command.gid }),
      })
      closeSync(log)
      const ended = Deferred.makeUnsafe<string>()
      child.on("error", error => Deferred.doneUnsafe(ended, Effect.succeed(error.message)))
      child.on("exit", (code, signal) =>
        Deferred.doneUnsafe(ended, Effect.succeed(signal === null ? `exit code ${code}` : signal)),
      )
      return { child, ended, logOffset }
    },
    catch: cause => didNotStart(command, cause instanceof Error ? cause.message : String(cause), ""),
  })

const endChild = (running: Running, endings: ReadonlyArray<Ending>): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (const ending of endings) {
      if (yield* Deferred.isDone(running.ended)) return
      running.child.kill(ending.signal)
      yield* Deferred.await(running.ended).pipe(Effect.timeoutOption(ending.milliseconds))
    }
    if (yield* Deferred.isDone(running.ended)) return
    running.child.kill("SIGKILL")
    yield* Deferred.await(running.ended).pipe(Effect.timeoutOption(killMillisecondsMax))
  })

const untilTrue = Effect.fnUntraced(function* (question: Effect.Effect<boolean>, millisecondsMax: number) {
  const answered = yield* question.pipe(
    Effect.repeat({ until: answer => answer, schedule: Schedule.spaced(askAgainMilliseconds) }),
    Effect.timeoutOption(millisecondsMax),
  )
  return answered._tag === "Some"
})

const didNotStart = (command: ServerCommand, outcome: string, said: string) => {
  const lastLine = said.trim().split("\n").at(-1)
  return new ServersError({
    reason: "didNotStart",
    server: command.server,
    message: `${command.server} did not start (${outcome}${lastLine ? `: ${lastLine.trim()}` : ""}); its log is ${command.logFile}.`,
  })
}

const keepLogSmall = (path: string): void => {
  if (existsSync(path) && statSync(path).size > logBytesMax) renameSync(path, `${path}.old`)
}

const newLogText = (path: string, offset: number): string => readFileSync(path).subarray(offset).toString("utf8")
