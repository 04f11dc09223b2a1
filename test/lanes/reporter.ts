/** Ends a lane with the one line that machines read: `N passed, N failed, N skipped`. Written to `LANE_RESULT` too. */
import { writeFileSync } from "node:fs"
import type { Reporter, TestModule } from "vitest/node"

export default class PlainReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>): void {
    const counts: Record<string, number> = { passed: 0, failed: 0, skipped: 0 }
    for (const module of modules) {
      // A file that could not be loaded has no tests to fail; it must count all the same.
      if (module.state() === "failed" && [...module.children.allTests()].length === 0)
        counts.failed = (counts.failed ?? 0) + 1
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        counts[state] = (counts[state] ?? 0) + 1
      }
    }
    const file = process.env.LANE_RESULT
    if (file !== undefined) writeFileSync(file, JSON.stringify(counts))
    else console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
  }
}
