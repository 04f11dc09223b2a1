import { assert, describe, it } from "@effect/vitest"
import { type PostgresSurroundings, planPostgres, postgresAdvice } from "../src/plan-postgres.ts"

const bare: PostgresSurroundings = {
  platform: "linux",
  databaseUrl: undefined,
  packaged: undefined,
  installed: [],
  docker: undefined,
  dataMajor: undefined,
  dataInDocker: false,
}
const packaged = { path: "/modules/postgres", version: "18.4" }
const system15 = { path: "/usr/lib/postgresql/15/bin/postgres", version: "15.18" }
const programs = (seen: Partial<PostgresSurroundings>) =>
  planPostgres({ ...bare, ...seen }).map(each => (each.way === "run" ? each.program : each.way))

describe("the way to a Postgres server", () => {
  it("is the given address, whatever else is there", () => {
    assert.deepStrictEqual(planPostgres({ ...bare, databaseUrl: "postgres://h/d", packaged, dataMajor: 15 }), [
      { way: "given", url: "postgres://h/d" },
    ])
  })

  it("is the packaged one, then what is installed, then Docker", () => {
    assert.deepStrictEqual(programs({ packaged, installed: [system15], docker: "/bin/docker" }), [
      packaged.path,
      system15.path,
      "docker",
    ])
  })

  it("passes over a program that is older than 14 or does not run", () => {
    const installed = [
      { path: "/13", version: "13.14" },
      { path: "/14", version: "14.2" },
    ]
    assert.deepStrictEqual(programs({ packaged: { path: "/musl", version: undefined }, installed }), ["/14"])
  })

  it("is of the version that wrote the data of the home, and never Docker for data written without it", () => {
    const seen = { packaged, installed: [system15], docker: "/bin/docker", dataMajor: 15 }
    assert.deepStrictEqual(programs(seen), [system15.path])
    assert.deepStrictEqual(programs({ ...seen, dataMajor: 16 }), [])
  })

  it("stays Docker for data that was written through Docker", () => {
    assert.deepStrictEqual(programs({ packaged, docker: "/bin/docker", dataInDocker: true }), ["docker"])
    assert.deepStrictEqual(programs({ packaged, dataInDocker: true }), [])
  })
})

describe("the advice when no way is left", () => {
  it.each([
    [
      {},
      "There is no Postgres 14 or newer on this machine: install the package postgresql, start Docker, or set DATABASE_URL to a running one.",
    ],
    [{ platform: "darwin" }, "run `brew install postgresql`"],
    [{ dataMajor: 16 }, "is of Postgres 16, which is not on this machine"],
    [{ dataInDocker: true }, "start Docker."],
  ] as const)("for %j says so", (seen, sentence) => {
    assert.include(postgresAdvice({ ...bare, ...seen }), sentence)
  })
})
