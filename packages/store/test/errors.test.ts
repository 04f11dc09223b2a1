import { DrizzleQueryError } from "drizzle-orm"
import { Effect, Exit } from "effect"
import pg from "pg"
import { describe, expect, it } from "vitest"
import { tooOld } from "../src/database.ts"
import { faultOf, statement, toStorageError } from "../src/errors.ts"

const answer = (code: string, message = "the server's sentence"): pg.DatabaseError => {
  const error = new pg.DatabaseError(message, message.length, "error")
  error.code = code
  error.detail = "Key (secret)=(hunter2) already exists."
  return error
}

describe("the fault of a failed statement", () => {
  it.each([
    ["22001", "message"],
    ["22P05", "message"],
    ["23502", "message"],
    ["23505", "message"],
    ["54000", "message"],
    ["54011", "message"],
    ["40001", "conflict"],
    ["40P01", "conflict"],
    ["40002", "unavailable"],
    ["40003", "unavailable"],
    ["08006", "unavailable"],
    ["25P03", "unavailable"],
    ["42P01", "unavailable"],
    ["53300", "unavailable"],
    ["55P03", "unavailable"],
    ["57014", "unavailable"],
    ["57P01", "unavailable"],
    ["58030", "unavailable"],
    [undefined, "unavailable"],
  ] as const)("of SQLSTATE %s is %s", (code, fault) => {
    expect(faultOf(code)).toBe(fault)
  })

  it("is read through drizzle's wrapper, and neither parameters nor rows reach the message", () => {
    const error = toStorageError(new DrizzleQueryError("insert …", ["hunter2"], answer("23505")))
    expect(error).toMatchObject({ fault: "message", code: "23505", message: "the server's sentence" })
    expect(JSON.stringify(error)).not.toContain("hunter2")
  })

  it("is nobody's when the connection broke, whatever five letters its code has", () => {
    const broken = Object.assign(new Error("write EPIPE"), { code: "EPIPE" })
    const error = toStorageError(broken)
    expect(error).toMatchObject({ fault: "unavailable", message: "write EPIPE" })
    expect(error.code).toBeUndefined()
  })

  it("is a defect when our own code is wrong", async () => {
    const exit = await Effect.runPromiseExit(statement(() => Promise.reject(new TypeError("not a function"))))
    expect(Exit.hasDies(exit)).toBe(true)
  })
})

describe("an old server", () => {
  it("is refused with what it is and what is needed, and 14 is the oldest that is not", () => {
    expect(tooOld(130_014, "db.example:5432/app")?.message).toBe(
      "The database at db.example:5432/app is Postgres 13, but Sluice needs 14 or newer.",
    )
    expect(tooOld(140_000, "db.example:5432/app")).toBeUndefined()
  })
})
