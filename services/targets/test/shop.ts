/** Rows for stories: a workspace with one deployment, staging and production, and as many targets as asked for. */
import { randomUUID } from "node:crypto"
import { Storage } from "@sluice/actor/ports"
import { Effect } from "effect"
import { Rig } from "./rig.ts"

export class Shop extends Rig {
  readonly deploymentId = randomUUID()
  readonly staging = randomUUID()
  readonly production = randomUUID()
  readonly systemId = randomUUID()
  /** Target keys by resource name. */
  readonly keys = new Map<string, string>()

  constructor() {
    super(randomUUID())
  }

  key(name: string): string {
    const key = this.keys.get(name)
    if (key === undefined) throw new Error(`there is no target ${name}`)
    return key
  }

  nameOf(key: string): string {
    return [...this.keys].find(([, other]) => other === key)?.[0] ?? key
  }

  state(name: string) {
    const state = this.states.get(this.key(name))
    if (state === undefined) throw new Error(`${name} has no state`)
    return state
  }

  phase(name: string): string {
    return this.state(name).phase._tag
  }

  reason(name: string): string | undefined {
    return this.state(name).answer?.blocked?.reason
  }

  /** Names of targets with a job, of a verified one, of … */
  busy(): ReadonlyArray<string> {
    return [...this.jobs.keys()].map(key => this.nameOf(key)).sort()
  }

  readonly sql = Effect.fnUntraced(function* (this: Shop, text: string, values: ReadonlyArray<unknown> = []) {
    return yield* (yield* Storage).query(text, values)
  })

  readonly open = Effect.fnUntraced(function* (this: Shop, targets: { staging?: number; production: number }) {
    yield* this.sql("INSERT INTO workspace (id, slug, name) VALUES ($1, $2, 'Shop')", [
      this.workspaceId,
      this.workspaceId,
    ])
    yield* this.sql("INSERT INTO system (id, workspace_id, name) VALUES ($1, $2, 'shop')", [
      this.systemId,
      this.workspaceId,
    ])
    yield* this.sql(
      "INSERT INTO deployment (id, workspace_id, name, job_agent_selector) VALUES ($1, $2, 'storefront', 'true')",
      [this.deploymentId, this.workspaceId],
    )
    for (const [id, name] of [
      [this.staging, "staging"],
      [this.production, "production"],
    ]) {
      yield* this.sql("INSERT INTO environment (id, workspace_id, name) VALUES ($1, $2, $3)", [
        id,
        this.workspaceId,
        name,
      ])
      yield* this.sql("INSERT INTO system_environment (system_id, environment_id, workspace_id) VALUES ($1, $2, $3)", [
        this.systemId,
        id,
        this.workspaceId,
      ])
    }
    for (let i = 1; i <= (targets.staging ?? 0); i++) yield* this.join(`stage-${i}`, this.staging)
    for (let i = 1; i <= targets.production; i++) yield* this.join(`web-${i}`, this.production)
  })

  readonly join = Effect.fnUntraced(function* (this: Shop, name: string, environmentId: string) {
    const resourceId = randomUUID()
    const key = `${resourceId}-${environmentId}-${this.deploymentId}`
    yield* this.sql(
      `INSERT INTO resource (id, workspace_id, identifier, name, kind, version) VALUES ($1, $2, $3, $3, 'Server', 'v1')`,
      [resourceId, this.workspaceId, name],
    )
    yield* this.sql(
      `INSERT INTO release_target (key, workspace_id, deployment_id, environment_id, resource_id, present, joined_at)
       VALUES ($1, $2, $3, $4, $5, true, now())`,
      [key, this.workspaceId, this.deploymentId, environmentId, resourceId],
    )
    this.keys.set(name, key)
  })

  readonly present = Effect.fnUntraced(function* (this: Shop, name: string, present: boolean) {
    yield* this.sql("UPDATE release_target SET present = $2 WHERE key = $1", [this.key(name), present])
    this.look(this.key(name))
    yield* this.run()
  })

  /** Binds production unless a selector is given. */
  readonly policy = Effect.fnUntraced(function* (
    this: Shop,
    bodies: ReadonlyArray<Record<string, unknown>>,
    selector = 'environment.name == "production"',
  ) {
    const id = randomUUID()
    yield* this.sql("INSERT INTO policy (id, workspace_id, name, selector) VALUES ($1, $2, 'policy', $3)", [
      id,
      this.workspaceId,
      selector,
    ])
    for (const [position, body] of bodies.entries()) {
      yield* this.sql(
        `INSERT INTO policy_rule (policy_id, position, id, workspace_id, created_at_text, created_at, body)
         VALUES ($1, $2, $3, $4, '', 'epoch', $5)`,
        [id, position, randomUUID(), this.workspaceId, JSON.stringify(body)],
      )
    }
    return id
  })

  readonly #versions = new Map<string, string>()
  versionId(tag: string): string {
    return this.#versions.get(tag) ?? ""
  }

  /** Publishes a version and tells every target, as the planner does. */
  readonly publish = Effect.fnUntraced(function* (this: Shop, tag: string, status = "ready") {
    const id = randomUUID()
    this.#versions.set(tag, id)
    yield* this.sql(
      `INSERT INTO deployment_version (id, workspace_id, deployment_id, tag, name, status, content_hash, created_at)
       VALUES ($1, $2, $3, $4, $4, $5, '', to_timestamp($6::float8 / 1000))`,
      [id, this.workspaceId, this.deploymentId, tag, status, ++this.now],
    )
    this.look(...this.keys.values())
    yield* this.run()
  })

  readonly patch = Effect.fnUntraced(function* (this: Shop, tag: string, status: string) {
    yield* this.sql("UPDATE deployment_version SET status = $2 WHERE id = $1", [this.versionId(tag), status])
    this.look(...this.keys.values())
    yield* this.run()
  })

  /** Ends every job and verification, in the order in which they come up, until none is left. */
  readonly finish = Effect.fnUntraced(function* (
    this: Shop,
    how: { readonly verdict?: (name: string, tag: string) => "passed" | "failed" } = {},
  ) {
    const order: Array<string> = []
    for (;;) {
      const job = [...this.jobs.keys()][0]
      if (job !== undefined) {
        order.push(this.nameOf(job))
        yield* this.end(job)
        continue
      }
      const [key, verification] = [...this.verifications][0] ?? []
      if (key === undefined || verification === undefined) return order
      const tag = [...this.#versions].find(([, id]) => id === verification.versionId)?.[0] ?? ""
      yield* this.conclude(key, how.verdict?.(this.nameOf(key), tag) ?? "passed")
    }
  })
}

export const shop = Effect.fnUntraced(function* (targets: { staging?: number; production: number }) {
  const opened = new Shop()
  yield* opened.open(targets)
  return opened
})

export const health = {
  name: "errorRate",
  intervalSeconds: 1,
  count: 2,
  provider: { type: "http", url: "http://127.0.0.1/{{ .resource.name }}" },
  successCondition: "result.body.errorRate < 0.1",
}
