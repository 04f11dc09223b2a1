/** `npm run demo`, as a person types it: in one process, with the services killed in each scene, with all seven apart. */
import { spawn } from "node:child_process"
import { join } from "node:path"
import { describe, expect, it } from "vitest"

const demo = join(import.meta.dirname, "../../services/all/src/demo.ts")
const millisecondsMax = 240_000

const play = (...args: ReadonlyArray<string>): Promise<{ code: number | null; output: string }> =>
  new Promise(resolve => {
    const { SLUICE_HOME: _, NATS_URL: _n, DATABASE_URL: _d, ...env } = process.env
    const child = spawn(process.execPath, [demo, ...args], { env, stdio: ["ignore", "pipe", "pipe"] })
    let output = ""
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", data => {
        output += data
      })
    }
    child.on("exit", code => resolve({ code, output }))
  })

/** The table without the names of sites, whose order differs from run to run. */
const endTable = (output: string): ReadonlyArray<string> =>
  output
    .slice(output.indexOf("deployment  environment"), output.indexOf("events checked"))
    .trim()
    .split("\n")
    .slice(1)
    .map(row => row.split(/ {2,}/).toSpliced(2, 1).join(" "))

const promised = [
  ...Array(2).fill("storefront staging 1.1.0 1.1.0"),
  ...[1, 2, 3].map(position => `storefront production 1.0.0 1.0.0 ${position} returned from 1.1.0`),
  ...[4, 5].map(
    position => `storefront production 1.0.0 1.0.0 ${position} never left: rollout halted, 1 of 0 failures allowed`,
  ),
  ...Array(2).fill("checkout staging 1.1.0 1.1.0"),
  ...Array(5).fill("checkout production 1.1.0 1.1.0"),
]

const proof = [
  /^events checked: [1-9]\d+$/m,
  /^active job sets per target: at most 1$/m,
  /^order kept: yes$/m,
  /^reopened jobs: 0$/m,
  /^1\.1\.0 never served by positions 4 and 5: yes/m,
  /^first failing probe to 1\.0\.0 serving again: \d+ ms on that site, \d+ ms on all three$/m,
]

const expectPromised = ({ code, output }: { code: number | null; output: string }): void => {
  expect(endTable(output), output).toEqual(promised)
  for (const line of proof) expect(output).toMatch(line)
  expect(code).toBe(0)
}

describe("the demonstration", () => {
  it("says why production waits, then ends as promised", { timeout: millisecondsMax }, async () => {
    const played = await play()
    expectPromised(played)
    for (const why of [
      /succeeded and verified on 1 of 2 targets in staging/,
      /needs an approval for production, 0 of 1/,
    ]) {
      expect(played.output).toMatch(why)
    }
  })

  it("ends in the same table when the services are killed once in each scene", {
    timeout: millisecondsMax,
  }, async () => {
    const played = await play("--crash")
    expectPromised(played)
    expect(played.output.match(/kill -9/g)).toHaveLength(2)
  })

  it("ends in the same table with all seven services as processes of their own", {
    timeout: millisecondsMax,
  }, async () => {
    expectPromised(await play("--apart"))
  })
})
