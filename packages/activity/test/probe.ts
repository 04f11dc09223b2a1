/** An activity for these tests: what a run answers is told by the test, what it reports can be read off its messages. */
import { type ActivityKind, defineActivity, type Outcome, type WorkItem } from "@sluice/activity/definition"
import { Door, type DoorMessage } from "@sluice/actor/door"
import { StorageError } from "@sluice/actor/ports"
import type { Outgoing } from "@sluice/protocol/envelope"
import { Effect, Layer, Schedule, Schema } from "effect"

export const Payload = Schema.Struct({ url: Schema.String })
export type Payload = typeof Payload.Type
export type ProbeOutcome = Outcome<number, string, string>

export const message = (type: string, work: WorkItem<Payload>, body: unknown): Outgoing => ({
  kind: "verification",
  workspaceId: work.workspaceId,
  key: work.key,
  type,
  body,
})

/** Tried again after 1 s and 2 s, then given up. */
export const probe = (
  run: (work: WorkItem<Payload>) => Effect.Effect<ProbeOutcome>,
): ActivityKind<Payload, number, string, string, never> =>
  defineActivity({
    name: "probe-metric",
    payload: Payload,
    concurrency: 4,
    timeLimit: 25_000,
    run,
    outcomes: {
      Done: (work, result) => [message("Measured", work, result)],
      StillRunning: (work, result) => [message("Running", work, result)],
      Transient: {
        schedule: Schedule.max([Schedule.exponential("1 second"), Schedule.recurs(2)]),
        exhausted: (work, reason) => [message("GaveUp", work, reason)],
      },
      Permanent: (work, result) => [message("Failed", work, result)],
    },
  })

export const workText = (payload: unknown, over: object = {}): string =>
  JSON.stringify({
    id: "w1",
    schemaVersion: 1,
    name: "probe-metric",
    workspaceId: "ws",
    key: "k1",
    correlationId: "c1",
    sentAt: 1,
    payload,
    ...over,
  })

export interface StubDoor {
  readonly committed: Array<DoorMessage & { readonly door: string }>
  /** Ids of work whose sender will not publish it again. */
  readonly completed: Array<string>
  readonly layer: Layer.Layer<Door>
  readonly service: Door["Service"]
}

/** Commits to a list; answers `failures` first, one by one. */
export const stubDoor = (
  failures: ReadonlyArray<StorageError["fault"]> = [],
  onCommit: () => void = () => {},
): StubDoor => {
  const left = [...failures]
  const committed: StubDoor["committed"] = []
  const completed: Array<string> = []
  const service: Door["Service"] = {
    commit: () => Effect.die("the activity runtime completes work, nothing else"),
    post: () => Effect.die("the activity runtime completes work, nothing else"),
    complete: (workspaceId, workId, messages) =>
      Effect.gen(function* () {
        const fault = left.shift()
        if (fault !== undefined) return yield* new StorageError({ fault, message: `the store is ${fault}` })
        committed.push(...messages.map(each => ({ ...each, door: workspaceId })))
        completed.push(workId)
        onCommit()
      }),
    ask: () => Effect.die("the activity runtime asks for no receipts"),
  }
  return { committed, completed, service, layer: Layer.succeed(Door, Door.of(service)) }
}
