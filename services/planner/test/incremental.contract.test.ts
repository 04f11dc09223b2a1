import { expect, layer } from "@effect/vitest"
import { testStore } from "@sluice/testkit/shared"
import { Effect } from "effect"
import * as fc from "fast-check"
import { keyOf, newWorld } from "./world.ts"

const selectors = ["true", "false", 'resource.metadata["a"] == "1"', 'resource.metadata["b"] == "1"', null] as const
const bit = fc.constantFrom("0", "1")
const edit = fc.oneof(
  fc.record({ do: fc.constant("resource" as const), at: fc.nat(4), a: bit, b: bit }),
  fc.record({ do: fc.constant("removeResource" as const), at: fc.nat(4) }),
  fc.record({
    do: fc.constant("selector" as const),
    of: fc.constantFrom("deployment" as const, "environment" as const),
    at: fc.nat(1),
    selector: fc.constantFrom(...selectors),
  }),
  fc.record({
    do: fc.constant("link" as const),
    of: fc.constantFrom("deployment" as const, "environment" as const),
    at: fc.nat(1),
    system: fc.nat(1),
    on: fc.boolean(),
  }),
)
type Edit = typeof edit extends fc.Arbitrary<infer E> ? E : never

const holds = (selector: string | null, metadata: { readonly a: string; readonly b: string }): boolean => {
  if (selector === null || selector === "false") return false
  if (selector === "true") return true
  return selector.includes('"a"') ? metadata.a === "1" : metadata.b === "1"
}

/** Applies the edits one by one, tells the planner of each, and compares with the rule worked out from nothing. */
const play = Effect.fnUntraced(function* (edits: ReadonlyArray<Edit>) {
  const world = yield* newWorld()
  const systems = [yield* world.system(), yield* world.system()]
  const owners = { deployment: [] as Array<string>, environment: [] as Array<string> }
  const texts = new Map<string, string | null>()
  const links = new Set<string>()
  for (const kind of ["deployment", "environment"] as const) {
    for (const at of [0, 1]) {
      const id = yield* world.owner(kind, "true", [systems[at] as string])
      owners[kind].push(id)
      texts.set(id, "true")
      links.add(`${systems[at]} ${id}`)
    }
  }
  yield* world.changed({ deployments: owners.deployment, environments: owners.environment, systems })
  const resources: Array<{ id: string; a: string; b: string } | undefined> = []

  for (const one of edits) {
    if (one.do === "resource") {
      const { a, b } = one
      const id = resources[one.at]?.id ?? (yield* world.resource())
      yield* world.run("UPDATE resource SET metadata = $2 WHERE id = $1", id, JSON.stringify({ a, b }))
      resources[one.at] = { id, a, b }
      yield* world.changed({ resources: [id] })
    } else if (one.do === "removeResource") {
      const id = resources[one.at]?.id
      if (id === undefined) continue
      yield* world.remove("resource", id)
      resources[one.at] = undefined
      yield* world.changed({ resources: [id] })
    } else if (one.do === "selector") {
      const id = owners[one.of][one.at] as string
      yield* world.run(`UPDATE ${one.of} SET resource_selector = $2 WHERE id = $1`, id, one.selector)
      texts.set(id, one.selector)
      yield* world.changed({ [`${one.of}s`]: [id] })
    } else {
      const id = owners[one.of][one.at] as string
      const system = systems[one.system] as string
      yield* world.run(
        one.on
          ? `INSERT INTO system_${one.of} (system_id, ${one.of}_id, workspace_id)
             VALUES ($1, $2, (SELECT workspace_id FROM system WHERE id = $1)) ON CONFLICT DO NOTHING`
          : `DELETE FROM system_${one.of} WHERE system_id = $1 AND ${one.of}_id = $2`,
        system,
        id,
      )
      if (one.on) links.add(`${system} ${id}`)
      else links.delete(`${system} ${id}`)
      yield* world.changed({ systems: [system] })
    }

    const expected = resources.flatMap(resource =>
      owners.deployment.flatMap(d =>
        owners.environment.flatMap(e => {
          const shared = systems.some(s => links.has(`${s} ${d}`) && links.has(`${s} ${e}`))
          const matched = resource && holds(texts.get(d) ?? null, resource) && holds(texts.get(e) ?? null, resource)
          return shared && matched ? [keyOf(resource.id, e, d)] : []
        }),
      ),
    )
    expect(yield* world.targets).toEqual(expected.sort())
  }
})

layer(testStore, { excludeTestServices: true })("after any edits, told one by one,", it => {
  it.effect(
    "the targets that exist are those the rule names when worked out from nothing",
    () =>
      Effect.gen(function* () {
        for (const edits of fc.sample(fc.array(edit, { minLength: 12, maxLength: 12 }), { numRuns: 15, seed: 7 })) {
          yield* play(edits)
        }
      }),
    60_000,
  )
})
