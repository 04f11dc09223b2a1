/**
 * `npm test`: type check and lint first, then every lane in turn, each lane's time, and one closing line. A lane without a
 * single test is a failure: silence is not success.
 */
import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

export const lanes = ["unit", "arch", "contract", "story", "fault"] as const

const root = join(import.meta.dirname, "../..")
const results = mkdtempSync(join(tmpdir(), "sluice-lanes-"))

const run = (command: string, args: ReadonlyArray<string>, more: Record<string, string> = {}): boolean =>
  spawnSync(command, args, { cwd: root, stdio: "inherit", env: { ...process.env, ...more } }).status === 0

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`

const main = (): number => {
  const lines: Array<string> = []
  const total = { passed: 0, failed: 0, skipped: 0 }
  let good = true
  const begun = performance.now()
  for (const [name, command, args] of [
    ["types", process.execPath, ["test/lanes/typecheck.ts"]],
    ["lint", join(root, "node_modules/.bin/biome"), ["check", "--error-on-warnings", "."]],
  ] as const) {
    const start = performance.now()
    const passed = run(command, args)
    good &&= passed
    lines.push(`${name.padEnd(10)} ${passed ? "ok    " : "FAILED"} ${seconds(start)}`)
  }
  for (const lane of lanes) {
    const start = performance.now()
    const file = join(results, `${lane}.json`)
    const passed = run(
      process.execPath,
      [
        join(root, "node_modules/vitest/vitest.mjs"),
        "run",
        "--project",
        lane,
        "--reporter=dot",
        "--silent=passed-only",
        "--reporter=./test/lanes/reporter.ts",
      ],
      { LANE_RESULT: file, ...(process.stdout.isTTY ? {} : { NO_COLOR: "1" }) },
    )
    const counts = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : { passed: 0, failed: 1, skipped: 0 }
    for (const key of ["passed", "failed", "skipped"] as const) total[key] += counts[key] ?? 0
    const empty = (counts.passed ?? 0) === 0
    good &&= passed && !empty
    lines.push(
      `${lane.padEnd(10)} ${passed && !empty ? "ok    " : "FAILED"} ${seconds(start)}  ${counts.passed} passed, ${counts.failed} failed`,
    )
  }
  console.log(`\n${lines.join("\n")}\nall lanes  ${good ? "ok    " : "FAILED"} ${seconds(begun)}\n`)
  if (!good && total.failed === 0) total.failed = 1
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
  return good ? 0 : 1
}

if (import.meta.main) process.exit(main())
