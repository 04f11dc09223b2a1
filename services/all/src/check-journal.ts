/**
 * `npm run check`: the checker's verdict on a running installation, from one snapshot of its journal: for each promise how
 * much was looked at, and everything that contradicts it. Exit code 0 only when every promise was kept.
 */
import { Storage } from "@sluice/actor/ports"
import { check } from "@sluice/checker/check"
import { printReport } from "@sluice/checker/report"
import { keptDatabase } from "@sluice/process/embedded-postgres"
import { homePaths } from "@sluice/process/home"
import { runMain } from "@sluice/process/run"
import { loadSettings } from "@sluice/process/settings"
import { exportJournal } from "@sluice/store/journal-export"
import { Effect, Schema } from "effect"
import { storageOf } from "./demonstration/access.ts"

class CheckError extends Schema.TaggedError<CheckError>()("CheckError", { message: Schema.String }) {}

const main = Effect.gen(function* () {
  const settings = yield* loadSettings()
  const url = settings.databaseUrl ?? keptDatabase(homePaths(settings.home))
  if (url === undefined) {
    return yield* new CheckError({
      message: `${settings.home} has no embedded Postgres: set SLUICE_HOME, or DATABASE_URL.`,
    })
  }
  const data = yield* Effect.flatMap(Storage, exportJournal).pipe(
    Effect.provide(storageOf({ url, namespace: settings.namespace })),
  )
  const report = check(data)
  for (const line of printReport(report)) process.stdout.write(`${line}\n`)
  if (!report.kept) return yield* new CheckError({ message: "Not every promise was kept." })
})

runMain(main)
