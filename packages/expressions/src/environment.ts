// The places where people write expressions, as data: which variables each place offers, which functions, and how an
// entity's `createdAt` looks there. Adding a place is adding a row. The rows follow the engine whose expressions we must
// keep working; names a place offers beyond what it fills are in scope too (reading them is a missing key, not an error).

/** `core` is the CEL standard library; `extended` adds strings, math, lists and sets. */
export type FunctionSet = "core" | "extended"

/** How `createdAt` of an entity reads in a context: a CEL timestamp, or its RFC 3339 text. `timestamp(x)` takes both. */
export type Instants = "timestamp" | "text"

interface ContextRow {
  readonly variables: ReadonlyArray<string>
  readonly functions: FunctionSet
  readonly instants: Instants
}

export const contexts = {
  resourceSelector: { variables: ["resource"], functions: "extended", instants: "text" },
  policySelector: {
    variables: ["resource", "deployment", "environment", "version"],
    functions: "extended",
    instants: "timestamp",
  },
  versionSelector: {
    variables: ["version", "environment", "resource", "deployment"],
    functions: "extended",
    instants: "text",
  },
  environmentSelector: {
    variables: ["resource", "deployment", "environment", "version"],
    functions: "extended",
    instants: "timestamp",
  },
  deploymentDependency: {
    variables: ["resource", "deployment", "environment", "version"],
    functions: "extended",
    instants: "timestamp",
  },
  versionDependency: { variables: ["version"], functions: "extended", instants: "timestamp" },
  jobAgentSelector: { variables: ["jobAgent", "resource"], functions: "extended", instants: "text" },
  variableValueSelector: { variables: ["resource"], functions: "extended", instants: "text" },
  variableSetSelector: {
    variables: ["resource", "deployment", "environment"],
    functions: "extended",
    instants: "timestamp",
  },
  relationshipRule: { variables: ["from", "to"], functions: "extended", instants: "timestamp" },
  versionFilter: { variables: ["version"], functions: "extended", instants: "text" },
  deploymentFilter: { variables: ["deployment"], functions: "extended", instants: "text" },
  verificationCondition: { variables: ["result"], functions: "core", instants: "text" },
} as const satisfies Record<string, ContextRow>

export type ContextName = keyof typeof contexts

export type VariableOf<C extends ContextName> = (typeof contexts)[C]["variables"][number]

export const contextNames: ReadonlyArray<ContextName> = Object.keys(contexts) as Array<ContextName>
