/**
 * The command behind `npm run apply-topology [-- --replicas 3]`: makes the broker at NATS_URL agree with the topology and prints
 * what it changed, a line each. Running services do the same at start, so this is for looking and for clusters. Streams of
 * agent work belong to workspaces and are applied by the gateway, which knows them.
 */
import { parseArgs } from "node:util"
import { NodeRuntime } from "@effect/platform-node"
import { BusAdmin, layer } from "@sluice/bus/bus"
import { loadSettings, SettingsError } from "@sluice/process/settings"
import { Console, Effect, Redacted } from "effect"
import { topology } from "./topology.ts"

const program = Effect.gen(function* () {
  const { values } = parseArgs({ options: { replicas: { type: "string", default: "1" } } })
  const { natsUrl, namespace } = yield* loadSettings()
  if (natsUrl === undefined) {
    return yield* new SettingsError({
      reason: "missingValue",
      name: "NATS_URL",
      message: "NATS_URL is not set: say which broker the topology is applied to.",
    })
  }
  if (!/^[1-5]$/.test(values.replicas)) {
    return yield* new SettingsError({
      reason: "invalidValue",
      name: "--replicas",
      message: `--replicas must be a number from 1 to 5, not ${values.replicas}.`,
    })
  }
  const list = topology({ namespace, replicas: Number(values.replicas) })
  const lines = yield* Effect.flatMap(BusAdmin, admin => admin.apply(list)).pipe(
    Effect.provide(layer({ servers: Redacted.value(natsUrl).split(","), namespace, name: "sluice-apply" })),
  )
  for (const line of lines) yield* Console.log(line)
  yield* Console.log(
    lines.length === 0 ? `${list.length} streams are as they should be.` : `${lines.length} changes were made.`,
  )
})

NodeRuntime.runMain(
  Effect.catch(program, error =>
    Effect.andThen(
      Console.error(error.message),
      Effect.sync(() => {
        process.exitCode = 1
      }),
    ),
  ),
)
