/** Versions from CI over NATS, and the workspace's public events as a stream that can be resumed. */
import { randomUUID } from "node:crypto"
import { connect, headers } from "@nats-io/transport-node"
import { Bus } from "@sluice/actor/ports"
import { replyToHeader, VersionAnswer } from "@sluice/protocol/intake"
import { subjects } from "@sluice/protocol/subjects"
import { Context, Effect, Exit, Redacted, Schema, Scope } from "effect"
import { describe, expect, it } from "vitest"
import { adminKey, namespace, startGateway } from "./kit.ts"
import { served } from "./served.ts"

const gateway = served()
const decodeAnswer = Schema.decodeUnknownSync(Schema.fromJsonString(VersionAnswer))

const deployment = async (name: string): Promise<string> => {
  const { call, W } = gateway()
  return (await call("POST", `${W}/deployments`, { body: { name, slug: name } })).body.id
}

/** What a CI step sees that asks for the verdict: the answer at its inbox. */
const publish = async (workspace: string, message: unknown) => {
  const { nats } = gateway()
  const connection = await connect({ servers: nats.url, user: nats.user, pass: Redacted.value(nats.password) })
  try {
    const inbox = `_INBOX.${randomUUID()}`
    const answers = connection.subscribe(inbox, { max: 1, timeout: 10_000 })
    const header = headers()
    header.set(replyToHeader, inbox)
    connection.publish(subjects(namespace).intake(workspace), JSON.stringify(message), { headers: header })
    for await (const answer of answers) return decodeAnswer(answer.string())
    throw new Error("no answer came")
  } finally {
    await connection.close()
  }
}

/** Frames of the stream, until `enough` says so. */
const listen = async (
  search: string,
  headers: Record<string, string>,
  enough: (frames: ReadonlyArray<string>) => boolean,
): Promise<ReadonlyArray<string>> => {
  const { base, W } = gateway()
  const stop = new AbortController()
  const response = await fetch(`${base}/api${W}/events${search}`, {
    headers: { "x-api-key": adminKey, ...headers },
    signal: stop.signal,
  })
  expect(response.headers.get("content-type")).toContain("text/event-stream")
  let text = ""
  const frames = () =>
    text
      .split("\n\n")
      .slice(0, -1)
      .filter(frame => !frame.startsWith(":"))
  for await (const chunk of response.body ?? []) {
    text += new TextDecoder().decode(chunk as Uint8Array)
    if (enough(frames())) break
  }
  stop.abort()
  return frames()
}
const idOf = (frame: string) => Number(/^id: (\d+)$/m.exec(frame)?.[1])
const typeOf = (frame: string) => /^event: (.+)$/m.exec(frame)?.[1]

describe("a version published over NATS", () => {
  it("becomes a version, the same again is unchanged, other content under the tag is refused", async () => {
    const { call, W, workspaceId } = gateway()
    const id = await deployment("checkout")
    const message = { schemaVersion: 1, deployment: "checkout", tag: "1.0.0", metadata: { "git/commit": "abc" } }
    const created = await publish("default", message)
    expect(created).toMatchObject({ status: "created", tag: "1.0.0" })
    expect(await publish(workspaceId, { ...message, deployment: id })).toMatchObject({
      status: "unchanged",
      versionId: created.versionId,
    })
    expect(await publish("default", { ...message, config: { other: true } })).toMatchObject({
      status: "refused",
      code: "DUPLICATE_TAG",
    })
    const { items } = (await call("GET", `${W}/deployments/${id}/versions`)).body
    expect(items).toHaveLength(1)
    expect(items[0]).toMatchObject({ id: created.versionId, status: "ready", metadata: message.metadata })
  })

  it("that cannot be one is refused with its reason, and the workspace's events say so", async () => {
    const { query } = gateway()
    expect(await publish("nowhere", { schemaVersion: 1, deployment: "x", tag: "1" })).toMatchObject({
      code: "NOT_FOUND",
    })
    expect(await publish("default", "nonsense")).toMatchObject({ status: "refused", code: "BAD_REQUEST" })
    expect(await publish("default", { schemaVersion: 2, deployment: "x", tag: "1" })).toMatchObject({
      status: "refused",
    })
    const missing = { schemaVersion: 1, deployment: "missing", tag: "7" }
    expect(await publish("default", missing)).toMatchObject({ status: "refused", code: "NOT_FOUND", tag: "7" })
    await expect
      .poll(
        () => query("SELECT data->>'tag' AS tag FROM event WHERE type = 'version.refused' AND subject = 'missing'"),
        {
          timeout: 5000,
        },
      )
      .toEqual([{ tag: "7" }])
  })

  it("that could not even be refused as it stands is refused all the same, and keeps back nothing behind it", async () => {
    await deployment("behind")
    const message = { schemaVersion: 1, deployment: "behind", tag: "1" }
    const nested = JSON.parse(`${'{"a":'.repeat(500)}1${"}".repeat(500)}`)
    for (const hostile of [{ tag: "1\0" }, { deployment: "d".repeat(1_000_000) }, { tag: "" }, { config: nested }]) {
      expect(await publish("default", { ...message, ...hostile })).toMatchObject({ status: "refused" })
    }
    expect(await publish("default", message)).toMatchObject({ status: "created" })
  })

  it("stands in the order at the broker's time, then at its place in the stream", async () => {
    const { context, query } = gateway()
    const id = await deployment("ordered")
    const bus = Context.get(context, Bus)
    const tags = Array.from({ length: 20 }, (_, i) => `t${String(i).padStart(2, "0")}`)
    await Effect.runPromise(
      bus.publish(
        tags.map(tag => ({
          subject: subjects(namespace).intake("default"),
          data: new TextEncoder().encode(JSON.stringify({ schemaVersion: 1, deployment: "ordered", tag })),
        })),
      ),
    )
    const ordered = async () =>
      (
        await query<{ tag: string }>(
          "SELECT tag FROM deployment_version WHERE deployment_id = $1 ORDER BY created_at, id",
          [id],
        )
      ).map(row => row.tag)
    await expect.poll(ordered, { timeout: 10_000 }).toEqual(tags)
  })
})

describe("the event stream", () => {
  it("tells what happened from now on, resumes after the last id, and numbers without a hole", async () => {
    const id = await deployment("streamed")
    const { call, W } = gateway()
    const all = await listen("?after=0", {}, frames =>
      frames.some(frame => frame.includes("deployment streamed saved")),
    )
    expect(all.map(idOf)).toEqual(all.map((_, index) => index + 1))
    const live = listen("", {}, frames => frames.some(frame => typeOf(frame) === "version.published"))
    // Published until it is seen: the stream starts "from now on", whenever that is.
    let publishing = true
    const seen = live.finally(() => {
      publishing = false
    })
    for (let n = 0; publishing; n++) {
      await call("POST", `${W}/deployments/${id}/versions`, { body: { tag: `v${n}`, status: "ready" } })
    }
    const frames = await seen
    const last = frames.at(-1) ?? ""
    expect(idOf(frames[0] ?? "")).toBeGreaterThan(idOf(all.at(-1) ?? ""))
    const [again] = await listen("?after=0", { "last-event-id": String(idOf(last) - 1) }, found => found.length > 0)
    expect(again).toBe(last)
    const data = JSON.parse(/^data: (.+)$/m.exec(last)?.[1] ?? "{}")
    expect(data).toMatchObject({
      type: "version.published",
      sequence: idOf(last),
      version: 1,
      data: { deploymentId: id },
    })
  })

  it("says that there is a gap when the position is older or newer than what is kept", async () => {
    const { query, workspaceId } = gateway()
    await deployment("gap-one")
    await deployment("gap-two")
    await listen("?after=0", {}, frames => frames.some(frame => frame.includes("deployment gap-two saved")))
    await query("DELETE FROM event WHERE workspace_id = $1 AND sequence <= 2", [workspaceId])
    const old = await listen("?after=1", {}, frames => frames.length > 1)
    expect(old.slice(0, 2).map(typeOf)[0]).toBe("gap")
    expect(idOf(old[1] ?? "")).toBe(3)
    const ahead = await listen("?after=999999", {}, frames => frames.length > 0)
    expect(ahead.map(typeOf)).toEqual(["gap"])
  })
})

describe("a gateway that stops", () => {
  it("ends open event streams instead of waiting for them", async () => {
    const scope = Scope.makeUnsafe()
    const { base, W } = await Effect.runPromise(startGateway.pipe(Scope.provide(scope)))
    const response = await fetch(`${base}/api${W}/events`, { headers: { "x-api-key": adminKey } })
    const reader = response.body?.getReader()
    expect((await reader?.read())?.done).toBe(false)
    const started = performance.now()
    await Effect.runPromise(Scope.close(scope, Exit.void))
    expect(performance.now() - started).toBeLessThan(5_000)
    // Ended or cut: either tells the reader to come back with its last id.
    await expect(
      reader?.read().then(
        ({ done }) => done,
        () => true,
      ),
    ).resolves.toBe(true)
  })
})
