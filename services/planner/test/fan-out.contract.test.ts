import { expect, layer } from "@effect/vitest"
import { testStore } from "@sluice/testkit/shared"
import { Effect } from "effect"
import { fanOutChunk } from "../src/fan-out.ts"
import { type Heard, newWorld, type World } from "./world.ts"

/** Two deployments and one environment that take every resource, and `count` resources nobody has looked at yet. */
const wide = Effect.fnUntraced(function* (count: number) {
  const world = yield* newWorld()
  const s = yield* world.system()
  const d = yield* world.owner("deployment", 'resource.kind == "Server" && resource.metadata["region"] != "mars"', [s])
  yield* world.owner("deployment", "true", [s])
  yield* world.owner("environment", 'resource.name.startsWith("r")', [s])
  const rows = yield* world.run(
    `INSERT INTO resource (id, workspace_id, identifier, name, kind, version, metadata)
     SELECT gen_random_uuid(), $1, 'r' || n, 'r' || n, 'Server', 'v1', '{"region": "eu"}'
     FROM generate_series(1, $2::int) AS n RETURNING id`,
    world.workspaceId,
    count,
  )
  return { world, d, resources: rows.map(row => row.id as string) }
})

/** Everything that a step and all its continuations told. */
const toTheEnd = Effect.fnUntraced(function* (world: World, first: Heard) {
  const keys = [...first.reconciled.flat()]
  let chunks = 1
  for (let [rest] = first.rest; rest !== undefined; chunks++) {
    const heard: Heard = yield* world.goOn(rest)
    expect(heard.reconciled[0]?.length).toBeLessThanOrEqual(fanOutChunk)
    keys.push(...heard.reconciled.flat())
    rest = heard.rest[0]
  }
  return { keys, chunks }
})

const inventory = 10_000

layer(testStore, { excludeTestServices: true })("a provider that sets ten thousand resources", it => {
  it.effect(
    "is one pass within seconds, holds the event loop for no more than moments, and tells every target in chunks",
    () =>
      Effect.gen(function* () {
        const { world, d, resources } = yield* wide(inventory)
        let longest = 0
        let beat = performance.now()
        const heart = setInterval(() => {
          longest = Math.max(longest, performance.now() - beat)
          beat = performance.now()
        }, 5)
        const began = performance.now()
        const first = yield* world.changed({ resources })
        const took = performance.now() - began
        clearInterval(heart)

        const targets = yield* world.targets
        expect(targets).toHaveLength(2 * inventory)
        expect(took).toBeLessThan(10_000)
        expect(longest).toBeLessThan(500)
        expect(first.events.map(event => [event.type, event.subject])).toEqual([["target.joined", world.workspaceId]])
        expect(first.events[0]?.data).toMatchObject({ count: 2 * inventory })
        expect(first.reconciled.flat().length).toBeLessThanOrEqual(fanOutChunk)

        const told = yield* toTheEnd(world, first)
        expect(told.keys.sort()).toEqual(targets)
        expect(told.chunks).toBe((2 * inventory) / fanOutChunk)

        yield* world.run("UPDATE deployment SET resource_selector = 'false' WHERE id = $1", d)
        const gone = yield* toTheEnd(world, yield* world.changed({ deployments: [d] }))
        expect(yield* world.targets).toHaveLength(inventory)
        expect(new Set(gone.keys)).toEqual(new Set(targets.filter(key => key.endsWith(d))))
      }),
    60_000,
  )
})

layer(testStore, { excludeTestServices: true })("a policy edit in a workspace of some hundred targets", it => {
  it.effect("tells each of them once, over several chunks", () =>
    Effect.gen(function* () {
      const { world, resources } = yield* wide(600)
      yield* toTheEnd(world, yield* world.changed({ resources }))
      const told = yield* toTheEnd(world, yield* world.changed({ policies: [world.workspaceId] }))
      expect(told.keys.sort()).toEqual(yield* world.targets)
      expect(told.chunks).toBe(3)
    }),
  )
})
