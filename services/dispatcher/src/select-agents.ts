/**
 * Which of a workspace's agents a deployment's selector picks for a resource. Pure: the expression engine does no I/O.
 * When nothing matches, the answer explains itself, since this is where people's first setup goes wrong.
 */
import type { JsonObject, Metadata } from "@sluice/domain/json"
import { compile } from "@sluice/expressions/compile"
import { evaluate } from "@sluice/expressions/evaluate"
import { type Input, toInput } from "@sluice/expressions/input"

export interface CandidateAgent {
  readonly id: string
  readonly name: string
  readonly type: string
  readonly config: JsonObject
  readonly metadata: Metadata
}

export type Selection =
  | { readonly _tag: "Agents"; readonly agents: ReadonlyArray<CandidateAgent> }
  | { readonly _tag: "None"; readonly message: string }

/** Agents that are named in a message; the rest are counted. */
const namedMax = 10

/** Converts each agent once, however many job sets of the batch ask. */
export const agentInputs = (agents: ReadonlyArray<CandidateAgent>): ReadonlyMap<string, Input> =>
  new Map(agents.map(agent => [agent.id, toInput({ ...agent })]))

export const selectAgents = (
  selector: string | null,
  resource: JsonObject,
  agents: ReadonlyArray<CandidateAgent>,
  inputs: ReadonlyMap<string, Input> = agentInputs(agents),
): Selection => {
  if (selector === null || selector.trim() === "") return none("the deployment has no job agent selector")
  const compiled = compile("jobAgentSelector", selector)
  if (!compiled.ok) return none(`the job agent selector \`${selector}\` is not valid: ${compiled.message}`)

  const resourceInput = toInput(resource)
  const matched: Array<CandidateAgent> = []
  const missing: Array<string> = []
  const failed: Array<string> = []
  for (const agent of agents) {
    const jobAgent = inputs.get(agent.id)
    if (jobAgent === undefined) continue
    const result = evaluate(compiled.expression, { jobAgent, resource: resourceInput })
    if (result._tag === "Match") matched.push(agent)
    else if (result._tag === "Failed") failed.push(`${agent.name} (${result.message})`)
    else if (result.reason === "missingKey") missing.push(`${agent.name} (${result.key})`)
  }
  if (matched.length > 0) return { _tag: "Agents", agents: matched }

  const looked =
    agents.length === 1 ? "the workspace's only agent does" : `none of the workspace's ${agents.length} agents does`
  const outcome =
    agents.length === 0 ? "the workspace has no job agents" : agents.length === 1 ? `${looked} not` : looked
  return none(
    [
      `no job agent matches \`${selector}\` for resource ${String(resource.name ?? resource.id)}: ${outcome}`,
      ...listed("left out because a key was missing", missing),
      ...listed("left out because the selector failed", failed),
    ].join("; "),
  )
}

const none = (message: string): Selection => ({ _tag: "None", message })

const listed = (what: string, names: ReadonlyArray<string>): ReadonlyArray<string> => {
  if (names.length === 0) return []
  const more = names.length > namedMax ? ` and ${names.length - namedMax} more` : ""
  return [`${names.length} ${what}: ${names.slice(0, namedMax).join(", ")}${more}`]
}
