/**
 * One batch of the planner: all changes of a workspace as one pass, each continuation of a fan-out as one chunk. Set-based
 * and in the batch's transaction, which sees everything the messages speak of: their doors committed both together.
 */
import type { ActorEffect, SetInput, SetOutcome } from "@sluice/actor/definition"
import type { Tx } from "@sluice/actor/ports"
import type { DeploymentId, EnvironmentId } from "@sluice/domain/ids"
import type { MessageOf } from "@sluice/protocol/catalogue"
import type { CatalogChanged } from "@sluice/protocol/planner"
import { membershipSubject } from "@sluice/rules/wait-subject"
import type { Concern } from "@sluice/store/planning"
import { Effect } from "effect"
import { announce } from "./announce.ts"
import { causesOf } from "./causes.ts"
import { concernOf, mergeChanges } from "./change.ts"
import { continueWith, fanOutChunk, nextChunk, reconcile } from "./fan-out.ts"
import { applyChange, type Moved } from "./membership.ts"

export type PlannerMessage = MessageOf<"planner">
type Draft = { events: Array<unknown>; effects: Array<ActorEffect>; refused?: string }
type Changed = ReadonlyArray<{ readonly index: number; readonly body: CatalogChanged }>

export const step = Effect.fnUntraced(function* (tx: Tx, batch: ReadonlyArray<SetInput<PlannerMessage>>, now: number) {
  const drafts = batch.map((): Draft => ({ events: [], effects: [] }))
  const changed = new Map<string, Array<Changed[number]>>()
  for (const [index, { input, workspaceId }] of batch.entries()) {
    const draft = drafts[index] as Draft
    if (input._tag === "Timer") {
      draft.refused = "the planner sets no timers"
    } else if (input.message.type === "CatalogChanged") {
      const ofWorkspace = changed.get(workspaceId) ?? []
      ofWorkspace.push({ index, body: input.message.body })
      changed.set(workspaceId, ofWorkspace)
    } else {
      const { afterKey, reason, ...concern } = input.message.body
      yield* fanOut(tx, workspaceId, concern, { afterKey, reason }, draft)
    }
  }
  for (const [workspaceId, messages] of changed) {
    yield* pass(tx, workspaceId, messages, drafts, Math.trunc(now))
  }
  return drafts as ReadonlyArray<SetOutcome>
})

const fanOut = Effect.fnUntraced(function* (
  tx: Tx,
  workspaceId: string,
  concern: Concern,
  { afterKey, reason }: { readonly afterKey: string; readonly reason: string },
  draft: Draft,
) {
  const { keys, rest } = yield* nextChunk(tx, workspaceId, concern, afterKey, reason)
  draft.effects.push(...keys.map(key => reconcile(workspaceId, key, reason)))
  if (rest !== undefined) draft.effects.push(continueWith(workspaceId, rest))
  draft.events.push({ _tag: "FannedOut", targets: keys.length, done: rest === undefined })
})

/** Everything one workspace's messages of this batch ask for. */
const pass = Effect.fnUntraced(function* (
  tx: Tx,
  workspaceId: string,
  messages: Changed,
  drafts: ReadonlyArray<Draft>,
  now: number,
) {
  const bodies = messages.map(message => message.body)
  const change = mergeChanges(bodies)
  const moved = yield* applyChange(tx, workspaceId, change, now)
  const all = [...moved.joined, ...moved.left]
  const few = all.length <= fanOutChunk
  const concern: Concern = {
    ...concernOf(bodies, change),
    ...(all.length === 0 ? {} : { subjects: membershipSubjects(all) }),
    ...(few ? {} : { movedAt: now }),
  }

  const cause = causesOf(messages)
  const last = messages.at(-1)
  const lastDraft = drafts[last?.index ?? 0] as Draft
  const chunk = yield* nextChunk(tx, workspaceId, concern, "", last?.body.reason ?? "")
  const keys = new Set([...(few ? all.map(target => target.key) : []), ...chunk.keys])
  for (const key of keys) {
    const { index, reason } = cause(key)
    drafts[index]?.effects.push(reconcile(workspaceId, key, reason))
  }
  if (chunk.rest !== undefined) lastDraft.effects.push(continueWith(workspaceId, chunk.rest))

  for (const { key, effect } of [
    ...announce("target.left", workspaceId, moved.left),
    ...announce("target.joined", workspaceId, moved.joined),
  ]) {
    const draft = key === undefined ? lastDraft : drafts[cause(key).index]
    draft?.effects.push(effect)
  }
  lastDraft.events.push(summaryOf(moved, keys.size, chunk.rest === undefined))
})

/** What the journal keeps of a pass, beside the messages it sent. */
const summaryOf = ({ joined, left, broken }: Moved, targets: number, done: boolean) => ({
  _tag: "Planned",
  joined: joined.length,
  left: left.length,
  targets,
  done,
  ...(broken.length === 0 ? {} : { broken }),
})

const membershipSubjects = (moved: Moved["joined"]): ReadonlyArray<string> => [
  ...new Set(
    moved.map(({ deploymentId, environmentId }) =>
      membershipSubject({
        deploymentId: deploymentId as DeploymentId,
        environmentId: environmentId as EnvironmentId,
      }),
    ),
  ),
]
