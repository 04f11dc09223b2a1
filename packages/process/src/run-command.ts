// Running a short-lived program to its end and reading what it printed. Long-lived servers are in server-process.ts.
// A program that cannot be started, fails or takes too long is a value, not an exception: callers try the next way.
import { spawn } from "node:child_process"
import { Effect } from "effect"

export interface CommandOptions {
  readonly cwd?: string
  readonly uid?: number | undefined
  readonly gid?: number | undefined
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly input?: string
  readonly timeoutMilliseconds: number
}

export interface CommandResult {
  /** Exit code; null when the program could not be started or was stopped for taking too long. */
  readonly code: number | null
  readonly stdout: string
  /** What it said on stderr, or why it could not be started. */
  readonly stderr: string
}

const outputCharactersMax = 64_000 // the tail is what explains a failure

/** Runs `program` and waits for its end; interruption stops it. */
export const runCommand = (
  program: string,
  args: ReadonlyArray<string>,
  options: CommandOptions,
): Effect.Effect<CommandResult> =>
  Effect.callback<CommandResult>((resume, signal) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ["pipe", "pipe", "pipe"],
      timeout: options.timeoutMilliseconds,
      killSignal: "SIGKILL",
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.gid }),
    })
    let stdout = ""
    let stderr = ""
    child.stdout.setEncoding("utf8").on("data", text => {
      stdout = (stdout + text).slice(-outputCharactersMax)
    })
    child.stderr.setEncoding("utf8").on("data", text => {
      stderr = (stderr + text).slice(-outputCharactersMax)
    })
    child.stdin.on("error", () => {}) // It ended without reading its input: its exit code says what there is to say.
    child.stdin.end(options.input ?? "")
    child.on("error", error => resume(Effect.succeed({ code: null, stdout, stderr: error.message })))
    child.on("close", code => resume(Effect.succeed({ code, stdout, stderr })))
    signal.addEventListener("abort", () => child.kill("SIGKILL"))
  })
