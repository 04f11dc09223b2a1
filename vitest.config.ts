/** The lanes of the test suite, one vitest project each; `test/lanes/run.ts` runs them in turn, `npm run test:<lane>` one. */
import { defineConfig } from "vitest/config"

const needsPostgres = { globalSetup: ["packages/testkit/src/global-setup.ts"] }
// Two cores: more files at once only make each other slow, and real servers time out.
const workers = { maxWorkers: 2, minWorkers: 1 }

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["{packages,services,examples}/**/*.test.ts"],
          exclude: ["**/node_modules/**", "**/*.contract.test.ts"],
          // Properties over random histories take seconds, and more where both cores are busy.
          testTimeout: 60_000,
        },
      },
      { test: { name: "arch", include: ["test/architecture/*.test.ts"] } },
      {
        test: {
          name: "contract",
          include: ["{packages,services,examples}/**/*.contract.test.ts"],
          exclude: ["**/node_modules/**"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          ...needsPostgres,
        },
      },
      {
        test: {
          name: "story",
          include: ["test/stories/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          ...needsPostgres,
        },
      },
      {
        test: {
          name: "fault",
          include: ["test/faults/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 60_000,
          fileParallelism: false,
          ...needsPostgres,
        },
      },
    ],
    ...workers,
  },
})
