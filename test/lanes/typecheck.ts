/**
 * Type-checks the repository with TypeScript and, where the platform has it, Effect's own checker in its place: that one
 * also finds effects that are built and never run.
 */
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"

const root = join(import.meta.dirname, "../..")
const checker = join(root, "node_modules/@effect/tsgo-linux-x64/artifacts/typescript/7.0.2/tsc")
const [command, args] = existsSync(checker)
  ? [checker, ["--noEmit", "--pretty", "false", "-p", "tsconfig.json"]]
  : [join(root, "node_modules/.bin/tsc"), ["--noEmit", "-p", "tsconfig.json"]]
const { status, stdout, stderr } = spawnSync(command, args, {
  cwd: root,
  encoding: "utf8",
  maxBuffer: 64 * 1024 * 1024,
})
const problems = stdout.split("\n").filter(line => line !== "" && !line.includes(": suggestion "))
process.stdout.write(problems.map(line => `${line}\n`).join(""))
process.stderr.write(stderr)
process.exit(status ?? 1)
