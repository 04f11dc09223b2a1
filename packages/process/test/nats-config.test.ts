import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { NatsUser, natsConfigText, natsUsersText } from "../src/nats-config.ts"

describe("the text of the users file", () => {
  it("writes an empty list of subjects as a denial, because the server reads it as permission", () => {
    const text = natsUsersText([
      { name: "ci", password: "long-enough", permissions: { publish: ["a.b"], subscribe: [] } },
    ])
    assert.include(text, 'publish: { allow: ["a.b"] }, subscribe: { deny: ">" }')
  })

  it("limits a user without a list of subjects in nothing", () => {
    assert.notInclude(natsUsersText([{ name: "sluice", password: "long-enough" }]), "permissions")
  })
})

describe("the text of the server's configuration", () => {
  const config = { name: "sluice", host: "127.0.0.1", port: 4222, storeDirectory: '/a "b"/c', usersFile: "users.conf" }
  it("quotes paths and syncs every message only when asked to", () => {
    const text = natsConfigText({ ...config, syncAlways: false })
    assert.include(text, 'store_dir: "/a \\"b\\"/c"')
    assert.notInclude(text, "sync_interval")
    assert.include(natsConfigText({ ...config, syncAlways: true }), "sync_interval: always")
  })
})

describe("a NATS user", () => {
  it.effect.each([
    { name: "a b", password: "long-enough" },
    { name: "", password: "long-enough" },
    { name: "ci", password: "short" },
    { name: "ci", password: "$2a$looks-like-a-hash" },
    { name: "ci", password: "line\nbreak in it" },
    { name: "ci", password: "long-enough", permissions: { publish: ['a" }'], subscribe: [] } },
    { name: "ci", password: "long-enough", permissions: { publish: ["a..b"], subscribe: [] } },
  ])("is refused when a part could be read as something else: %j", user =>
    Effect.flip(Schema.decodeEffect(NatsUser)(user)).pipe(Effect.asVoid),
  )
})
