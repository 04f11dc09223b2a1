/**
 * The end of the story: what every site says over HTTP, beside what the API says about it, against what was promised.
 * The words of a row come from what was found, so a row that is wrong says what was found instead.
 */
import { type ReleaseTargetKey, VersionId } from "@sluice/domain/ids"
import { rolloutOrder } from "@sluice/rules/rollout-order"
import { Effect, Schema } from "effect"
import { DemonstrationError } from "./failure.ts"
import { type DeploymentName, deploymentNames, type EnvironmentName, environmentNames, newTag, oldTag } from "./plan.ts"
import type { Served } from "./site.ts"
import { blockedOf, type Stage, type TargetView } from "./stage.ts"

export interface Row {
  readonly deployment: DeploymentName
  readonly environment: EnvironmentName
  readonly resource: string
  /** What the site answered. */
  readonly site: string
  /** What the API says runs there. */
  readonly api: string
  readonly expected: string
  /** 1-based place in the order of storefront 1.1.0 in production. */
  readonly position?: number
  readonly note: string
  readonly served: ReadonlyArray<Served>
  readonly ok: boolean
}

export const returned = `returned from ${newTag}`
export const neverLeft = "never left: rollout halted, 1 of 0 failures allowed"
/** The place in the order of storefront 1.1.0 at which its rollout ends. */
export const badPosition = 3

export const lookAtOutcome = Effect.fnUntraced(function* (
  stage: Stage,
): Effect.fn.Return<ReadonlyArray<Row>, DemonstrationError> {
  const versionId = yield* stage.versionId("storefront", newTag)
  const order = versionId === undefined ? [] : orderOf(stage.world.targets, versionId)
  const rows: Array<Row> = []
  for (const deployment of deploymentNames) {
    for (const environment of environmentNames) {
      for (const view of yield* stage.view(deployment, environment)) {
        const [content, served] = yield* Effect.all([askSite(view.url), askServed(view.url)])
        const place = order.indexOf(view.key)
        rows.push(
          rowOf(view, { version: content.version ?? "nothing", served, position: place < 0 ? undefined : place + 1 }),
        )
      }
    }
  }
  const among = (row: Row) => row.position ?? 0
  return rows.toSorted((a, b) => groupOf(a) - groupOf(b) || among(a) - among(b))
})

/** The production targets of storefront in the order of a version. */
export const orderOf = (
  targets: ReadonlyArray<{ readonly key: ReleaseTargetKey; readonly deployment: string; readonly environment: string }>,
  versionId: string,
): ReadonlyArray<ReleaseTargetKey> =>
  rolloutOrder(
    targets
      .filter(target => target.deployment === "storefront" && target.environment === "production")
      .map(target => target.key),
    VersionId.make(versionId),
  )

const groupOf = (row: Row): number =>
  deploymentNames.indexOf(row.deployment) * environmentNames.length + environmentNames.indexOf(row.environment)

interface Found {
  readonly version: string
  readonly served: ReadonlyArray<Served>
  readonly position: number | undefined
}

const rowOf = (view: TargetView, { version, served, position }: Found): Row => {
  const { deployment, environment, resource } = view
  const expected = position === undefined ? newTag : oldTag
  const note = position === undefined ? "" : noteOf(view, served)
  const expectedNote = position === undefined ? "" : position <= badPosition ? returned : neverLeft
  const api = view.current ?? "nothing"
  const ok = version === expected && api === expected && note === expectedNote
  const place = position === undefined ? {} : { position }
  return { deployment, environment, resource, site: version, api, expected, ...place, note, served, ok }
}

/** What became of 1.1.0 here: by the site's own record, and by what the API says holds it. */
const noteOf = (view: TargetView, served: ReadonlyArray<Served>): string => {
  const versions = served.map(each => each.version)
  if (versions.includes(newTag)) {
    return versions.at(-1) === oldTag && quarantinedHere(view) ? returned : `served ${versions.join(", then ")}`
  }
  const blocked = blockedOf(view)
  return `never left: ${blocked?.tag === newTag ? blocked.reason : `nothing holds ${newTag}`}`
}

const quarantinedHere = ({ state }: TargetView): boolean => (state.sluice?.quarantined.length ?? 0) > 0

const ask = <A, I>(url: string, answer: Schema.Codec<A, I>): Effect.Effect<A, DemonstrationError> =>
  Effect.tryPromise({
    // A connection of its own: one kept open would hold the site up when it closes.
    try: async signal => (await fetch(url, { signal, headers: { connection: "close" } })).json(),
    catch: error => new DemonstrationError({ reason: "unreachable", message: `${url}: ${String(error)}` }),
  }).pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(answer)),
    Effect.mapError(error =>
      error._tag === "DemonstrationError"
        ? error
        : new DemonstrationError({ reason: "unexpected", message: `${url}: ${error.message}` }),
    ),
  )

const askSite = (url: string) =>
  ask(url, Schema.Struct({ version: Schema.NullOr(Schema.String), errorRate: Schema.Finite }))
const askServed = (url: string) =>
  ask(`${url}/served`, Schema.Array(Schema.Struct({ version: Schema.String, from: Schema.Finite })))

const headings = ["deployment", "environment", "site", "serves", "API says", "position", ""]

/** The end table as lines. */
export const tableOf = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const cells = rows.map(row => [
    row.deployment,
    row.environment,
    row.resource,
    row.site,
    row.api,
    row.position === undefined ? "" : String(row.position),
    row.ok ? row.note : `${row.note === "" ? "" : `${row.note}; `}NOT AS PROMISED, should run ${row.expected}`,
  ])
  const all = [headings, ...cells]
  const widths = headings.map((_, column) => Math.max(...all.map(row => (row[column] ?? "").length)))
  return all.map(row =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  )
}
