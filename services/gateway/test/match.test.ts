/** Which operation a path means. */
import { operation } from "@sluice/api/operation"
import { describe, expect, it } from "vitest"
import { matcher } from "../src/match.ts"

const route = (method: "GET" | "PUT", path: string, aliases: ReadonlyArray<string> = []) => ({
  operation: operation({ id: `${method} ${path}`, summary: "", tag: "", method, path, aliases }),
})
const match = matcher([
  route("GET", "/v1/things/{thingId}"),
  route("GET", "/v1/things/all"),
  route("PUT", "/v1/things/{thingId}", ["/v1/thing-s/{thingId}"]),
])
const found = (method: string, path: string) => {
  const result = match(method, path)
  return result._tag === "Found" ? [result.route.operation.id, result.params] : result._tag
}

describe("a path", () => {
  it("prefers a literal segment to a parameter", () => {
    expect(found("GET", "/v1/things/all")).toEqual(["GET /v1/things/all", {}])
    expect(found("GET", "/v1/things/other")).toEqual(["GET /v1/things/{thingId}", { thingId: "other" }])
  })

  it("is found under its alias, in any case, with one trailing slash and no more", () => {
    const put = ["PUT /v1/things/{thingId}", { thingId: "X" }]
    expect(found("PUT", "/v1/thing-s/X")).toEqual(put)
    expect(found("PUT", "/V1/THINGS/X/")).toEqual(put)
    expect(found("PUT", "/v1/things/X//")).toBe("Unknown")
    expect(found("PUT", "/v1/things/")).toBe("Unknown")
  })

  it("is decoded exactly once, after it was split", () => {
    expect(found("GET", "/v1/things/a%2Fb%2525%20c")).toEqual(["GET /v1/things/{thingId}", { thingId: "a/b%25 c" }])
    expect(found("GET", "/v1/things/%zz")).toBe("Malformed")
  })

  it("that is known under other methods says which", () => {
    expect(match("DELETE", "/v1/things/all")).toEqual({ _tag: "WrongMethod", allowed: ["GET", "PUT"] })
    expect(match("DELETE", "/v1/nothing")).toEqual({ _tag: "Unknown" })
  })
})
