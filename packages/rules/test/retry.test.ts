import type { TerminalJobStatus } from "@sluice/domain/job-status"
import type { Retry } from "@sluice/domain/policy"
import { describe, expect, it } from "vitest"
import { backoffSeconds, mayTryAgain } from "../src/retry.ts"
import { at } from "./given.ts"

const words = { F: "failure", S: "successful", C: "cancelled", L: "externalRunNotFound" } as const
type Letters = ReadonlyArray<keyof typeof words>

/** Newest first; all ended at 10:00, for nothing but the newest end matters. */
const tries = (letters: Letters, endedAt = at("10:00")) =>
  letters.map(letter => ({ outcome: words[letter] as TerminalJobStatus, endedAt }))
const judge = (rules: ReadonlyArray<Retry>, letters: Letters, now = at("10:00")) =>
  mayTryAgain({ rules, tries: tries(letters), now })

describe("retrying", () => {
  it.each([
    ["no rule allows the first try", [], [], "Allow"],
    ["no rule allows one failure, no second try", [], ["F"], "Deny"],
    ["no rule allows one cancelled try, no second", [], ["C"], "Deny"],
    ["3 retries: after 1 failure", [{ maxRetries: 3 }], ["F"], "Allow"],
    ["3 retries: after 3 failures", [{ maxRetries: 3 }], ["F", "F", "F"], "Allow"],
    ["3 retries: after 4 failures", [{ maxRetries: 3 }], ["F", "F", "F", "F"], "Deny"],
    ["a success ends the counting", [{ maxRetries: 2 }], ["F", "S", "F", "F"], "Allow"],
    ["0 retries: after a failure", [{ maxRetries: 0 }], ["F"], "Deny"],
    ["0 retries: a cancelled try does not count", [{ maxRetries: 0 }], ["C"], "Allow"],
    ["an empty list of statuses is the default", [{ maxRetries: 0, retryOnStatuses: [] }], ["F"], "Deny"],
    ["named statuses replace the default", [{ maxRetries: 0, retryOnStatuses: ["cancelled"] }], ["C"], "Deny"],
    ["of two rules the stricter decides", [{ maxRetries: 3 }, { maxRetries: 1 }], ["F", "F"], "Deny"],
  ] as ReadonlyArray<[string, ReadonlyArray<Retry>, Letters, string]>)(
    "%s (V-RY-1 to 4, 9)",
    (_title, rules, letters, expected) => {
      expect(judge(rules, letters)._tag).toBe(expected)
    },
  )

  it("starts counting anew when another release was tried in between (V-RY-5)", () => {
    // What is handed in are the tries since then: none, and then one.
    expect(judge([], [])._tag).toBe("Allow")
    expect(judge([{ maxRetries: 1 }], ["F"])._tag).toBe("Allow")
  })

  it.each([[[]], [[{ maxRetries: 3 }]]])("never runs a success again, under %o", rules => {
    expect(judge(rules, ["S"])._tag).toBe("Deny")
  })

  it("waits for the back-off after the newest try, the same each time when linear (V-RY-6)", () => {
    const rule = { maxRetries: 5, backoffSeconds: 60, maxBackoffSeconds: 10 }
    expect(judge([rule], ["F"], at("10:00:59"))).toMatchObject({ _tag: "Wait", until: at("10:01") })
    expect(judge([rule], ["F", "F", "F"])).toMatchObject({ _tag: "Wait", until: at("10:01") })
    expect(judge([rule], ["F"], at("10:01"))._tag).toBe("Allow")
  })

  it("doubles up to the maximum when exponential (V-RY-7)", () => {
    const rule = { maxRetries: 9, backoffSeconds: 10, backoffStrategy: "exponential", maxBackoffSeconds: 60 } as const
    expect([1, 2, 3, 4, 5].map(count => backoffSeconds(rule, count))).toEqual([10, 20, 40, 60, 60])
  })

  it("does not wait after a try that does not count (V-RY-10)", () => {
    expect(judge([{ maxRetries: 1, backoffSeconds: 60 }], ["C", "F"])._tag).toBe("Allow")
  })

  it("waits for the longest of several back-offs", () => {
    const rules = [
      { maxRetries: 2, backoffSeconds: 60 },
      { maxRetries: 2, backoffSeconds: 120 },
    ]
    expect(judge(rules, ["F"])).toMatchObject({ until: at("10:02") })
  })
})
