// Every setting of Sluice: name, default, meaning, who reads it, and the schema that turns its text into a value.
// One process loads one typed value from this table at start; the README's table is printed from it. Nothing outside
// this package reads the environment. What a setting does is decided by its reader, not here.
import { Config, ConfigProvider, Effect, Redacted, Schema } from "effect"
import { nearestName } from "./nearest-name.ts"

/** A setting that was given wrongly. `message` is one sentence for the person who started the process. */
export class SettingsError extends Schema.TaggedError<SettingsError>()("SettingsError", {
  reason: Schema.Literals(["unknownName", "invalidValue", "missingValue"]),
  name: Schema.String,
  message: Schema.String,
}) {}

/** The processes that read a setting; "every service" includes the all-in-one process. */
export type Reader = "every service" | "all" | "gateway" | "planner"

interface Setting<A> {
  readonly name: string
  /** Text used when the variable is absent or empty; undefined when absence has a meaning of its own. */
  readonly fallback: string | undefined
  /** What the table shows as default where `fallback` alone says too little. */
  readonly shownDefault?: string
  readonly meaning: string
  readonly readers: ReadonlyArray<Reader>
  readonly secret: boolean
  /** Completes "NAME must be …". */
  readonly expects: string
  readonly codec: Schema.ConstraintCodec<A, unknown>
}

const setting = <A>(description: Setting<A>): Setting<A> => description
const optional = <A>(description: Setting<A>): Setting<A | undefined> => description
const matching = (pattern: RegExp) => Schema.String.pipe(Schema.check(Schema.isPattern(pattern)))
const integerBetween = (minimum: number, maximum: number) =>
  Schema.FiniteFromString.pipe(Schema.check(Schema.isInt(), Schema.isBetween({ minimum, maximum })))

const portMax = 65_535 // TCP has 16 bits for it
const partitionsMax = 1_024 // each partition costs a consumer and a lease row in every installation, used or not
const secretText = (pattern: RegExp) => Schema.RedactedFromValue(matching(pattern))

export const settings = {
  port: setting({
    name: "PORT",
    fallback: "3000",
    meaning: "Port of the HTTP interface; 0 takes a free one",
    readers: ["gateway", "all"],
    secret: false,
    expects: `a port number from 0 to ${portMax}`,
    codec: integerBetween(0, portMax),
  }),
  host: setting({
    name: "HOST",
    fallback: "127.0.0.1",
    meaning: "Address the HTTP interface listens on",
    readers: ["gateway", "all"],
    secret: false,
    expects: "an address or a host name",
    codec: matching(/^[A-Za-z0-9.:_-]+$/),
  }),
  home: setting({
    name: "SLUICE_HOME",
    fallback: ".sluice",
    meaning: "Directory of everything an installation keeps: embedded servers, first key, lock",
    readers: ["all"],
    secret: false,
    expects: "a directory",
    codec: matching(/^[^\0]+$/),
  }),
  namespace: setting({
    name: "SLUICE_NAMESPACE",
    fallback: "sluice",
    meaning: "First token of every NATS subject, prefix of every stream, Postgres schema",
    readers: ["every service"],
    secret: false,
    expects: 'a lower-case word of at most 31 letters, digits and "_" that starts with a letter and not with "pg_"',
    codec: matching(/^(?!pg_)[a-z][a-z0-9_]{0,30}$/),
  }),
  demo: setting({
    name: "SLUICE_DEMO",
    fallback: "on",
    meaning: "on plays the demonstration when the installation is empty",
    readers: ["all"],
    secret: false,
    expects: "on or off",
    codec: Schema.Literals(["on", "off"]),
  }),
  workspace: setting({
    name: "SLUICE_WORKSPACE",
    fallback: "default",
    meaning: "Slug of the workspace that a new installation starts with",
    readers: ["gateway", "all"],
    secret: false,
    expects: 'a slug of at most 63 lower-case letters, digits and "-"',
    codec: matching(/^[a-z0-9][a-z0-9-]{0,62}$/),
  }),
  apiKey: optional({
    name: "SLUICE_API_KEY",
    fallback: undefined,
    shownDefault: "generated",
    meaning: "First key of a new installation, 16 hexadecimal digits, a dot, 64 more",
    readers: ["gateway", "all"],
    secret: true,
    expects: "16 lower-case hexadecimal digits, a dot, and 64 more",
    codec: secretText(/^[0-9a-f]{16}\.[0-9a-f]{64}$/),
  }),
  natsUrl: optional({
    name: "NATS_URL",
    fallback: undefined,
    shownDefault: "an embedded server",
    meaning: "Existing NATS with JetStream, 2.12 or newer; user and password may stand in it",
    readers: ["every service"],
    secret: true,
    expects: "an address such as nats://user:password@host:4222",
    codec: secretText(/^(nats|tls|ws|wss):\/\/[^\s/]+\/?$/),
  }),
  databaseUrl: optional({
    name: "DATABASE_URL",
    fallback: undefined,
    shownDefault: "an embedded server",
    meaning: "Existing Postgres, 14 or newer",
    readers: ["every service"],
    secret: true,
    expects: "an address such as postgres://user:password@host:5432/database",
    codec: secretText(/^postgres(ql)?:\/\/\S+$/),
  }),
  opsPort: setting({
    name: "OPS_PORT",
    fallback: "0",
    shownDefault: "a free port",
    meaning: "Port of /healthz and /readyz, on the same address as HOST; 0 takes a free one",
    readers: ["every service"],
    secret: false,
    expects: `a port number from 0 to ${portMax}`,
    codec: integerBetween(0, portMax),
  }),
  log: setting({
    name: "SLUICE_LOG",
    fallback: "pretty",
    meaning: "pretty for people, json for machines, quiet for warnings and errors only",
    readers: ["every service"],
    secret: false,
    expects: "pretty, json or quiet",
    codec: Schema.Literals(["pretty", "json", "quiet"]),
  }),
  partitions: setting({
    name: "SLUICE_PARTITIONS",
    fallback: "16",
    meaning: "Partitions of every actor kind; read once, when the installation is created",
    readers: ["every service"],
    secret: false,
    expects: `a whole number from 1 to ${partitionsMax}`,
    codec: integerBetween(1, partitionsMax),
  }),
}

type SettingTable = typeof settings
type SettingKey = keyof SettingTable
/** The one typed configuration value of a process. Secrets are `Redacted`. */
export type Settings = {
  readonly [Key in SettingKey]: SettingTable[Key] extends Setting<infer A> ? A : never
}

export type Environment = Readonly<Record<string, string | undefined>>

/** Reads and checks all settings. Fails with one sentence at the first unknown or invalid one; an empty variable counts as absent. */
export const loadSettings = Effect.fn("loadSettings")(function* (environment: Environment = process.env) {
  for (const name of Object.keys(environment)) {
    if (name.startsWith("SLUICE_") && !settingNames.includes(name)) return yield* unknownName(name)
  }
  const provider = ConfigProvider.fromEnvRecord(
    Object.fromEntries(Object.values(settings).map(each => [each.name, textOf(each, environment)])),
  )
  const values: Record<string, unknown> = {}
  for (const [key, each] of Object.entries<Setting<unknown>>(settings)) {
    if (textOf(each, environment) === undefined) continue
    values[key] = yield* Config.schema(each.codec, each.name)
      .parse(provider)
      .pipe(Effect.mapError(() => invalidValue(each, environment)))
  }
  return values as Settings
})

/** NATS_URL and DATABASE_URL, which a service that runs on its own cannot do without: only the all-in-one process embeds servers. */
export const givenServers = Effect.fn("givenServers")(function* (loaded: Settings) {
  const natsUrl = loaded.natsUrl ?? (yield* missingValue(settings.natsUrl))
  const databaseUrl = loaded.databaseUrl ?? (yield* missingValue(settings.databaseUrl))
  return { natsUrl, databaseUrl }
})

/** One line per setting, `NAME=value`, for printing once at start; secrets show as `<redacted>`. */
export const describeSettings = (loaded: Settings): ReadonlyArray<string> =>
  (Object.keys(settings) as ReadonlyArray<SettingKey>).map(key => {
    const value = loaded[key]
    const shown =
      value === undefined ? (settings[key].shownDefault ?? "") : Redacted.isRedacted(value) ? "<redacted>" : value
    return `${settings[key].name}=${shown}`
  })

/** The README's table of settings, in Markdown, ending with a newline. */
export const settingsTable = (): string => {
  const rows = Object.values(settings).map(each => [
    `\`${each.name}\``,
    each.shownDefault ?? `\`${each.fallback}\``,
    each.secret ? `${each.meaning} (secret)` : each.meaning,
    each.readers.join(", "),
  ])
  const lines = [["name", "default", "meaning", "service"], ["---", "---", "---", "---"], ...rows]
  return lines.map(cells => `| ${cells.join(" | ")} |\n`).join("")
}

const settingNames: ReadonlyArray<string> = Object.values(settings).map(each => each.name)

const textOf = (each: Setting<unknown>, environment: Environment): string | undefined => {
  const given = environment[each.name]
  return given === undefined || given === "" ? each.fallback : given
}

const unknownName = (name: string) =>
  new SettingsError({
    reason: "unknownName",
    name,
    message: `${name} is not a setting of Sluice; did you mean ${nearestName(name, settingNames)}?`,
  })

const invalidValue = (each: Setting<unknown>, environment: Environment) =>
  new SettingsError({
    reason: "invalidValue",
    name: each.name,
    // A mistyped secret is still most of a secret, so it is not shown.
    message: `${each.name} must be ${each.expects}${each.secret ? "" : `, not ${JSON.stringify(environment[each.name])}`}.`,
  })

const missingValue = (each: Setting<unknown>) =>
  new SettingsError({
    reason: "missingValue",
    name: each.name,
    message: `${each.name} is not set: a service that runs on its own needs ${each.expects}.`,
  })
