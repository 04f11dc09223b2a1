/**
 * From the facts of a dispatch to its jobs: one per matching agent, in order of agent id, each with the config and context
 * it keeps for good. Where no agent can take it there is one job all the same, ended and saying why, because a target must
 * hear the outcome of everything it starts.
 */
import type { Moment } from "@sluice/actor/definition"
import { type Json, type JsonObject, type Metadata, mergeConfig } from "@sluice/domain/json"
import type { StartJobs } from "@sluice/protocol/job"
import type { CreatedJob } from "./events.ts"
import { deadlineSecondsDefault, deadlineSecondsMax, deadlineSecondsTestRunner } from "./limits.ts"
import type { CandidateAgent } from "./select-agents.ts"
import type { Delivery } from "./state.ts"

/** What the fact query found for a `StartJobs`. The entities are as people read them (contract names, ISO times). */
export type StartFacts =
  /** A row that should be there is not. */
  | { readonly _tag: "Missing"; readonly message: string }
  | {
      readonly _tag: "Found"
      readonly deployment: JsonObject
      readonly environment: JsonObject
      readonly resource: JsonObject
      readonly version: JsonObject
      readonly release: {
        readonly id: string
        readonly createdAt: string
        readonly releaseTarget: JsonObject
        readonly variables: JsonObject
      }
      readonly agents: ReadonlyArray<MatchedAgent>
      /** Why `agents` is empty; absent when it is not. */
      readonly noAgent?: string
    }

export interface MatchedAgent extends CandidateAgent {
  /** How agents of this type get their work; undefined: no bridge of this installation knows the type. */
  readonly delivery: Delivery | undefined
}

export const planJobs = (
  request: StartJobs,
  facts: StartFacts | undefined,
  moment: Moment,
): ReadonlyArray<CreatedJob> => {
  if (facts === undefined) return [withoutAgent(`release ${request.releaseId} was not found`, {}, {}, moment)]
  if (facts._tag === "Missing") return [withoutAgent(facts.message, {}, {}, moment)]
  const context = contextOf(facts)
  const metadata = metadataOf(facts.version)
  if (facts.agents.length === 0) {
    return [
      withoutAgent(
        facts.noAgent ?? "no job agent matches",
        { ...context, jobAgent: {}, jobAgentConfig: {} },
        metadata,
        moment,
      ),
    ]
  }
  return facts.agents
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map(agent => jobFor(agent, facts, context, metadata, moment))
}

type Found = Extract<StartFacts, { _tag: "Found" }>

const jobFor = (
  agent: MatchedAgent,
  facts: Found,
  context: JsonObject,
  metadata: Metadata,
  moment: Moment,
): CreatedJob => {
  const config = mergeConfig(
    agent.config,
    mapAt(facts.deployment, "jobAgentConfig"),
    mapAt(facts.version, "jobAgentConfig"),
  )
  const deadline = moment.now + Math.round(deadlineSecondsOf(agent.type, config) * 1000)
  const dispatchContext: JsonObject = {
    ...context,
    jobAgent: { id: agent.id, name: agent.name, type: agent.type, config, metadata: agent.metadata },
    jobAgentConfig: config,
  }
  const jobId = moment.id()
  const row = { config, dispatchContext, metadata, deadline }
  if (agent.delivery === undefined) {
    const message = `no bridge of this installation knows job agents of type "${agent.type}" (agent ${agent.name})`
    return {
      ...row,
      job: {
        phase: "Ended",
        jobId,
        agentId: agent.id,
        attempt: 1,
        ignoredReports: 0,
        status: "invalidJobAgent",
        message,
      },
    }
  }
  const proceedAfterMs = proceedAfterOf(config)
  const shared = {
    jobId,
    agentId: agent.id,
    agentType: agent.type,
    attempt: 1,
    deadline,
    ignoredReports: 0,
    ...(proceedAfterMs === undefined ? {} : { proceedAfterMs }),
  }
  return agent.delivery === "pull"
    ? { ...row, job: { phase: "Queued", delivery: "pull", ...shared } }
    : { ...row, job: { phase: "HandedOver", delivery: "push", handedOverAt: moment.now, ...shared } }
}

const withoutAgent = (
  message: string,
  dispatchContext: JsonObject,
  metadata: Metadata,
  moment: Moment,
): CreatedJob => ({
  job: { phase: "Ended", jobId: moment.id(), attempt: 1, ignoredReports: 0, status: "invalidJobAgent", message },
  config: {},
  dispatchContext,
  metadata,
  deadline: moment.now,
})

/** The snapshot every job keeps: contract `DispatchContext` without its agent. */
const contextOf = (facts: Found): JsonObject => ({
  deployment: facts.deployment,
  environment: facts.environment,
  resource: facts.resource,
  version: facts.version,
  release: { ...facts.release, encryptedVariables: [], version: facts.version },
  variables: facts.release.variables,
})

/** Where a job came from, readable without its context. */
const copiedMetadata = ["git/commit", "git/branch"]

const metadataOf = (version: JsonObject): Metadata => {
  const metadata = mapAt(version, "metadata")
  return Object.fromEntries(
    copiedMetadata.flatMap(key => {
      const value = metadata[key]
      return typeof value === "string" ? [[key, value]] : []
    }),
  )
}

/** Seconds; a value that is no sensible number counts as not given, since a config must not disable the deadline. */
const deadlineSecondsOf = (type: string, config: JsonObject): number => {
  const asked = config.deadlineSeconds
  if (isSeconds(asked)) return Math.min(asked, deadlineSecondsMax)
  return type === "test-runner" ? deadlineSecondsTestRunner : deadlineSecondsDefault
}

const proceedAfterOf = (config: JsonObject): number | undefined => {
  const seconds = mapAt(config, "onLost").proceedAfterSeconds
  return isSeconds(seconds) ? Math.round(Math.min(seconds, deadlineSecondsMax) * 1000) : undefined
}

const isSeconds = (value: Json | undefined): value is number => typeof value === "number" && value > 0

const mapAt = (value: JsonObject, key: string): JsonObject => {
  const found = value[key]
  return typeof found === "object" && found !== null && !Array.isArray(found) ? (found as JsonObject) : {}
}
