/**
 * The `wake-waiting` activity: subjects in, `Reconcile` to exactly the targets that wait on one of them. It may run twice
 * or in halves: a wake says "look again", and looking again changes nothing by itself. Whoever registers a wait after
 * this look-up looks a second time on its own account (architecture, section 6).
 */
import { defineActivity, type WorkItem } from "@sluice/activity/definition"
import { Door } from "@sluice/actor/door"
import { Storage } from "@sluice/actor/ports"
import { WakeWaiting } from "@sluice/protocol/activities"
import type { Outgoing } from "@sluice/protocol/envelope"
import type { Reconcile } from "@sluice/protocol/target"
import { targetsWaitingOn } from "@sluice/store/waits"
import { Effect, Schedule } from "effect"

/** Targets woken through one commit of the door, whose row every caller of the workspace queues for. */
export const wakeChunk = 500

export const wakeWaiting = defineActivity({
  name: "wake-waiting",
  payload: WakeWaiting,
  // Each is one short query and a share of a commit: results that come while one commit is on its way go with the next
  // one, all together. Measured at 150 jobs a second: 8 fall behind by thousands, 64 keep up.
  concurrency: 64,
  timeLimit: 30_000,
  run: work =>
    wake(work).pipe(
      Effect.map(targets => ({ _tag: "Done" as const, result: targets })),
      Effect.catch(error => Effect.succeed({ _tag: "Transient" as const, reason: error.message })),
    ),
  outcomes: {
    Done: messages,
    // A look-up neither goes on by itself nor is refused for good.
    StillRunning: () => [],
    Permanent: () => [],
    Transient: {
      // Never used up: whoever waits has nobody else to wake it before its own slow look.
      schedule: Schedule.min([Schedule.exponential("200 millis"), Schedule.spaced("10 seconds")]),
      exhausted: () => [],
    },
  },
})

/** Wakes all full chunks; answers the last one, which goes through the door with the acknowledgement. */
const wake = Effect.fn("wakeWaiting")(function* (work: WorkItem<WakeWaiting>) {
  const storage = yield* Storage
  const door = yield* Door
  const { workspaceId, payload } = work
  let after = ""
  for (;;) {
    const keys = yield* targetsWaitingOn(storage, workspaceId, payload.subjects, after, wakeChunk)
    const last = keys.at(-1)
    if (last === undefined || keys.length < wakeChunk) return keys
    yield* door.commit(workspaceId, () =>
      Effect.succeed({
        value: undefined,
        messages: messages(work, keys).map(message => ({ ...message, correlationId: work.correlationId })),
      }),
    )
    after = last
  }
})

function messages(work: WorkItem<WakeWaiting>, keys: ReadonlyArray<string>): ReadonlyArray<Outgoing> {
  const body: Reconcile = { reason: work.payload.reason }
  return keys.map(key => ({ kind: "target", workspaceId: work.workspaceId, key, type: "Reconcile", body }))
}
