/**
 * Stories in the user's words: `given(here).targets("eu", "us").when.versionArrives("1.4.0").and.checkFails("eu").then
 * .runs("eu", "1.3.9")`. What is given is made first, what will go wrong is armed next, then things happen in the order they
 * are told, and every sentence after `then` is waited for, saying what it waited for and what it saw.
 */
import type { RuleBodies } from "@sluice/domain/policy"
import type { MetricSpec } from "@sluice/domain/verification"
import type { Installation } from "./installation.ts"
import type { Answer } from "./installation-api.ts"
import { errorRateMetric, makeScene, type PolicyPlan, type Scene } from "./story-scene.ts"

export const given = (installation: Installation): Given => new Given(installation)

const production = "production"

/** What the world looks like; every verb answers the same story. */
export class Given {
  readonly #installation: Installation
  readonly #environments: Record<string, Array<string>> = {}
  readonly #policies: Array<PolicyPlan> = []
  #agentType = "test-runner"
  #agentConfig: Readonly<Record<string, unknown>> = { delaySeconds: 0 }
  #running: string | undefined

  constructor(installation: Installation) {
    this.#installation = installation
  }

  /** In production. */
  targets(...names: ReadonlyArray<string>): this {
    return this.targetsIn(production, ...names)
  }
  targetsIn(environment: string, ...names: ReadonlyArray<string>): this {
    this.#environments[environment] = [...(this.#environments[environment] ?? []), ...names]
    return this
  }
  agent(type: string, config: Readonly<Record<string, unknown>> = {}): this {
    this.#agentType = type
    this.#agentConfig = config
    return this
  }
  /** In production; `everywhere` for all environments of the story. */
  policy(...rules: ReadonlyArray<RuleBodies>): this {
    this.#policies.push({ environment: production, rules })
    return this
  }
  everywhere(...rules: ReadonlyArray<RuleBodies>): this {
    this.#policies.push({ rules })
    return this
  }
  /** Every release is checked on the story's site. */
  verified(more: Partial<MetricSpec> = {}): this {
    return this.everywhere({ verification: { metrics: [errorRateMetric(more)] } })
  }
  /** This version is what runs everywhere before anything happens. */
  running(tag: string): this {
    this.#running = tag
    return this
  }

  /** For stories that go on by hand. */
  async scene(): Promise<Scene> {
    const scene = await makeScene(this.#installation, {
      environments: this.#environments,
      agentType: this.#agentType,
      agentConfig: this.#agentConfig,
      policies: this.#policies,
    })
    const running = this.#running
    if (running !== undefined) {
      await scene.publish(running)
      for (const name of scene.targets.keys()) await runs(scene, name, running)
    }
    return scene
  }

  get when(): When {
    return new When(this.scene())
  }
}

export const when = (scene: Scene): When => new When(Promise.resolve(scene))

type Step = (scene: Scene) => unknown

/** What happens, in order; what will go wrong is armed before the first of it. */
export class When {
  readonly #scene: Promise<Scene>
  readonly #armed: ReadonlyArray<Step>
  readonly #steps: ReadonlyArray<Step>

  constructor(scene: Promise<Scene>, armed: ReadonlyArray<Step> = [], steps: ReadonlyArray<Step> = []) {
    this.#scene = scene
    this.#armed = armed
    this.#steps = steps
  }

  versionArrives(tag: string, more: Readonly<Record<string, unknown>> = {}): When {
    return this.#do(scene => scene.publish(tag, more))
  }
  /** The site of this target answers badly while it serves this version. */
  checkFails(name: string, tag: string): When {
    return new When(this.#scene, [...this.#armed, scene => scene.site.fails(name, tag)], this.#steps)
  }
  statusBecomes(tag: string, status: string): When {
    return this.#do(async scene => scene.api.patch(`W/deploymentversions/${(await scene.version(tag)).id}`, { status }))
  }
  personApproves(tag: string, status: "approved" | "rejected" = "approved"): When {
    return this.#do(async scene => {
      const { api } = await scene.installation.addUser("approver")
      const { id } = await scene.version(tag)
      await api.put(`W/deployment-versions/${id}/user-approval-records`, {
        status,
        environmentIds: [],
        reason: "looked at it",
      })
    })
  }
  resourceLeaves(name: string): When {
    return this.#do(scene =>
      scene.api.delete(`W/resources/identifier/${encodeURIComponent(scene.target(name).identifier)}`),
    )
  }
  /** Anything else, told by hand. */
  it(step: Step): When {
    return this.#do(step)
  }

  get and(): When {
    return this
  }
  // biome-ignore lint/suspicious/noThenProperty: the story's own word; it is no function, so nothing takes it for a promise
  get then(): Then {
    const told = this.#tell()
    return new Then(told, told)
  }

  #do(step: Step): When {
    return new When(this.#scene, this.#armed, [...this.#steps, step])
  }
  async #tell(): Promise<Scene> {
    const scene = await this.#scene
    for (const step of [...this.#armed, ...this.#steps]) await step(scene)
    return scene
  }
}

export type Told = Promise<Scene> & { readonly and: Then }

/** What the user sees in the end; each sentence is waited for after the one before it. */
export class Then {
  readonly #scene: Promise<Scene>
  readonly #before: Promise<unknown>

  constructor(scene: Promise<Scene>, before: Promise<unknown>) {
    this.#scene = scene
    this.#before = before
  }

  /** This version runs there, and nothing is under way. */
  runs(name: string, tag: string): Told {
    return this.#next(scene => runs(scene, name, tag))
  }
  /** It waits, and says for which rule and why. */
  waits(name: string, rule: string, reason: RegExp): Told {
    return this.#next(scene => waits(scene, name, rule, reason))
  }
  /** Nothing starts until a person acts. */
  isHeld(name: string, reason: RegExp): Told {
    return this.#next(async scene => {
      const look = () => scene.state(name)
      await scene.installation.feed.until(
        `${name} to be held because ${reason}`,
        look,
        ({ sluice }) => sluice?.phase === "held" && reason.test(JSON.stringify(sluice.hold)),
      )
    })
  }
  /** No job ever carried this version there. */
  neverRan(name: string, tag: string): Told {
    return this.#next(async scene => {
      const version = await scene.version(tag)
      const { versions } = await scene.history(name)
      const started = versions.find(
        (one: Answer["body"]) => one.versionId === version.id && one.startedAt !== undefined,
      )
      if (started !== undefined) throw new Error(`${tag} ran on ${name}: ${JSON.stringify(started)}`)
    })
  }
  /** The status of the newest job there. */
  lastJobIs(name: string, status: string): Told {
    return this.#next(scene =>
      scene.installation.feed.until(
        `the last job of ${name} to be ${status}`,
        () => scene.jobs(name),
        jobs => jobs[0]?.status === status,
      ),
    )
  }

  #next(step: (scene: Scene) => Promise<unknown>): Told {
    const done = this.#after(step)
    return Object.assign(done, { and: new Then(this.#scene, done) })
  }
  async #after(step: (scene: Scene) => Promise<unknown>): Promise<Scene> {
    await this.#before
    const scene = await this.#scene
    await step(scene)
    return scene
  }
}

/**
 * Looked at with the newest version in view, read anew each time (one that was published over NATS is stored before it is
 * committed): a target that has not heard of it yet runs the old one for another reason.
 */
const runs = (scene: Scene, name: string, tag: string): Promise<unknown> =>
  scene.installation.feed.until(
    `${name} to run ${tag}`,
    async () => ({ newest: await scene.newestVersion(), state: await scene.state(name) }),
    ({ newest, state: { currentRelease, sluice } }) =>
      newest !== undefined &&
      currentRelease?.version.tag === tag &&
      (sluice?.phase === "idle" || sluice?.phase === "waiting") &&
      sluice.lastKnownGoodReleaseId === currentRelease.id &&
      (newest.tag === tag || sluice.blocked?.versionId === newest.id),
  )

const waits = (scene: Scene, name: string, rule: string, reason: RegExp): Promise<unknown> =>
  scene.installation.feed.until(
    `${name} to wait for ${rule} because ${reason}`,
    () => scene.state(name),
    ({ sluice }) => sluice?.blocked?.rule === rule && reason.test(sluice.blocked.reason),
  )
