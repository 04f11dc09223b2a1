/** The import table of the design, as data: what each package may import of ours, and which vendors it alone may use. */

/** Workspace packages each package's sources may import; tests may import `testkit` and whatever they test with. */
export const packageImports: Record<string, ReadonlyArray<string>> = {
  domain: [],
  protocol: ["domain"],
  expressions: [],
  templates: [],
  rules: ["domain", "protocol"],
  checker: ["domain", "protocol"],
  actor: ["domain", "protocol"],
  activity: ["domain", "protocol", "actor"],
  bus: ["domain", "protocol", "actor"],
  store: ["domain", "protocol", "actor", "rules"],
  api: ["domain", "protocol"],
  agents: ["domain", "protocol"],
  process: ["domain", "protocol", "actor", "activity", "bus", "store"],
  testkit: [
    "domain",
    "protocol",
    "actor",
    "activity",
    "bus",
    "store",
    "process",
    "rules",
    "expressions",
    "templates",
    "checker",
    "api",
    "agents",
  ],
}

/** Vendor packages and the packages that may import them; anything not named here is free for all sources. */
export const vendorImports: ReadonlyArray<{ readonly vendor: RegExp; readonly only: ReadonlyArray<string> }> = [
  { vendor: /^@nats-io\//, only: ["bus"] },
  { vendor: /^(pg|drizzle-orm)(\/|$)/, only: ["store"] },
  { vendor: /^@bufbuild\//, only: ["expressions"] },
  {
    vendor: /^effect(\/|$)/,
    only: [
      "domain",
      "protocol",
      "rules",
      "actor",
      "activity",
      "bus",
      "store",
      "api",
      "agents",
      "process",
      "testkit",
      "checker",
    ],
  },
]

/** Packages whose sources know neither Effect's runtime nor Node: only effect's pure modules. */
export const purePackages = ["domain", "rules", "checker"] as const
/** What "effect's pure modules" are. */
export const pureEffectNames = [
  "Schema",
  "Option",
  "Duration",
  "DateTime",
  "Result",
  "Predicate",
  "Array",
  "Record",
  "Order",
  "Equal",
  "Exit",
  "Data",
  "Match",
  "pipe",
  "Struct",
  "HashMap",
  "Brand",
  "SchemaIssue",
]

/** Files of services that decide: no I/O, no clock, no randomness. */
export const decisionFile = /\/src\/(decide|evolve|react|state|transitions)[^/]*\.ts$/

export const linesMax = 400
