// The installation's topology on a real broker: it is accepted as it is, and what it promises about agent work holds.
import { describe, expect, it } from "@effect/vitest"
import { consumers, streams, subjects } from "@sluice/protocol/subjects"
import { Effect } from "effect"
import { topology } from "../../../nats/topology.ts"
import { bytes, client, collector, testNats, text } from "./nats.ts"

const workspaces = [{ workspaceId: "ws", jobAgents: [{ id: "agent-1" }, { id: "agent-2", ackWait: 60_000 }] }]
const list = topology({ namespace: "t", workspaces })

describe("the topology of an installation", () => {
  it.live("is accepted by a real broker, and applying it again changes nothing", () =>
    Effect.gen(function* () {
      const nats = yield* testNats()
      const { admin } = yield* client(nats.url)
      const lines = yield* admin.apply(list)
      expect(lines).toHaveLength(list.length + list.flatMap(each => each.consumers).length)
      expect(yield* admin.apply(list)).toEqual([])
    }),
  )

  it.live("may be applied by several processes at the same moment", () =>
    Effect.gen(function* () {
      const nats = yield* testNats()
      const processes = yield* Effect.forEach([1, 2, 3], () => client(nats.url))
      yield* Effect.forEach(processes, ({ admin }) => admin.apply(list), { concurrency: "unbounded" })
      expect(yield* processes[0]?.admin.apply(list) ?? Effect.succeed(["no process"])).toEqual([])
    }),
  )

  it.live("gains a job agent's consumer when the workspace's stream is applied again with it", () =>
    Effect.gen(function* () {
      const nats = yield* testNats()
      const { admin } = yield* client(nats.url)
      yield* admin.apply(list)
      const more = [{ workspaceId: "ws", jobAgents: [...(workspaces[0]?.jobAgents ?? []), { id: "agent-3" }] }]
      expect(yield* admin.apply(topology({ namespace: "t", workspaces: more }))).toEqual([
        "+ consumer t_agent_ws/agent-3 (t.agent.ws.agent-3.work.>)",
      ])
    }),
  )

  it.live("keeps public events and the inbox of the actor that numbers them apart", () =>
    Effect.gen(function* () {
      const nats = yield* testNats()
      const { admin, bus } = yield* client(nats.url)
      yield* admin.apply(list)
      const names = subjects("t")
      yield* bus.publish([
        {
          subject: names.mailbox({ kind: "event", partition: 0, workspaceId: "ws", key: "ws", type: "Append" }),
          data: bytes("inbox"),
        },
        { subject: names.event("ws", "version.created"), data: bytes("public") },
      ])
      const [inbox, events] = [collector<string>(), collector<string>()]
      yield* bus.read({
        stream: streams("t").mailbox("event"),
        subject: names.partition("event", 0),
        from: () => 0,
        onDelivery: each => inbox.add(text(each.data)),
      })
      yield* bus.read({
        stream: streams("t").events(),
        subject: names.events(),
        from: () => 0,
        onDelivery: each => events.add(text(each.data)),
      })
      expect(yield* inbox.until("the inbox message", seen => seen.length > 0)).toEqual(["inbox"])
      expect(yield* events.until("the public event", seen => seen.length > 0)).toEqual(["public"])
    }),
  )

  it.live("hands an agent its own work only, and a new attempt after the old one was purged", () =>
    Effect.gen(function* () {
      const nats = yield* testNats()
      const { admin, bus } = yield* client(nats.url)
      yield* admin.apply(list)
      const stream = streams("t").agentWork("ws")
      const [mine, other] = ["agent-1", "agent-2"].map(agent => subjects("t").agentWork("ws", agent, "job"))
      const publish = (subject: string | undefined, content: string) =>
        bus.publish([{ subject: subject ?? "", data: bytes(content), messageId: `job:${content}`, timeToLive: 60_000 }])
      yield* publish(mine, "attempt 1")
      yield* publish(other, "not mine")
      yield* bus.purge(stream, mine ?? "")
      yield* publish(mine, "attempt 2")
      const got = collector<string>()
      yield* bus.consume({
        stream,
        consumer: consumers.agentWork("agent-1"),
        concurrency: 4,
        handle: work =>
          Effect.andThen(
            Effect.sync(() => got.add(text(work.data))),
            work.ack,
          ),
      })
      yield* got.until("the second attempt", seen => seen.length > 0)
      yield* bus.publish([{ subject: subjects("t").agentWork("ws", "agent-1", "end"), data: bytes("end") }])
      expect(yield* got.until("the end", seen => seen.includes("end"))).toEqual(["attempt 2", "end"])
    }),
  )
})
