/**
 * The event log: one actor per workspace that gives each public event its sequence. The runtime holds the partition's lock
 * while a batch runs, so numbers appear in commit order and whoever reads by position misses nothing.
 */
import type { SetActorKind } from "@sluice/actor/definition"
import type { MessageOf } from "@sluice/protocol/catalogue"
import { appendEvents } from "@sluice/store/events"
import { Effect } from "effect"

export const eventLog: SetActorKind<MessageOf<"event">> = {
  kind: "event",
  step: Effect.fnUntraced(function* (tx, batch) {
    const facts = batch.flatMap(({ input, id, workspaceId, correlationId, causationId }) =>
      input._tag === "Message"
        ? [{ ...input.message.body, id: id(), workspaceId, correlationId, causationId: causationId ?? null }]
        : [],
    )
    const sequences = yield* appendEvents(tx, facts)
    let next = 0
    return batch.map(({ input }) => ({
      events: input._tag === "Message" ? [{ sequence: sequences[next++] }] : [],
      effects: [],
    }))
  }),
}
